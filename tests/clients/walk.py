"""Unchanged python-bitcoinlib against a node: walks the whole chain, reparses every byte, and follows every hash.

Arguments: the node's URL with its credentials.
"""

import sys

import bitcoin
import bitcoin.rpc
from bitcoin.core import CBlock, CTransaction, b2lx, lx, x

bitcoin.SelectParams("regtest")
proxy = bitcoin.rpc.Proxy(service_url=sys.argv[1])

height = proxy.getblockcount()
previous, transactions, spent = b"\0" * 32, 0, 0
for at in range(height + 1):
    block_hash = proxy.getblockhash(at)
    block = proxy.getblock(block_hash)
    raw = x(proxy._call("getblock", b2lx(block_hash), 0))
    assert block.serialize() == raw, at
    assert CBlock.deserialize(raw).GetHash() == block_hash == block.GetHash(), at
    assert block.hashPrevBlock == previous, at
    assert block.hashMerkleRoot == block.calc_merkle_root(), at
    header = proxy._call("getblockheader", b2lx(block_hash), True)
    assert (header["height"], lx(header["hash"])) == (at, block_hash)
    assert int(header["bits"], 16) == block.nBits and header["nonce"] == block.nNonce
    for tx in block.vtx:
        transactions += 1
        again = proxy.getrawtransaction(tx.GetTxid()) if at > 0 else tx
        assert isinstance(again, CTransaction) and again.serialize() == tx.serialize()
        spent += sum(not i.prevout.is_null() for i in tx.vin)
    previous = block_hash
    reward = block.vtx[0]
    if at > 0 and not reward.vout[0].scriptPubKey.is_unspendable():
        paid, paid_at = reward.GetTxid(), at
assert proxy.getbestblockhash() == previous
assert proxy.gettxout(bitcoin.core.COutPoint(paid, 0))["confirmations"] == height - paid_at + 1
# The last blocks of a devnet pay nobody, and what nobody can spend is no coin.
assert block.vtx[0].vout[0].scriptPubKey.is_unspendable()
try:
    proxy.gettxout(bitcoin.core.COutPoint(block.vtx[0].GetTxid(), 0))
    raise SystemExit("an output that nobody can spend was found")
except IndexError:
    pass
try:
    proxy.getblock(b"\1" * 32)
    raise SystemExit("a block that is none was found")
except IndexError:
    pass
try:
    proxy.sendrawtransaction(block.vtx[0])
    raise SystemExit("a coinbase was accepted")
except bitcoin.rpc.JSONRPCError as error:
    assert error.error["code"] in (-26, -27), error
print(f"{height + 1} blocks, {transactions} transactions, {spent} inputs read back")
