// Bundles the extension, and with `--vsix FILE` packs it. The same sources give the same bytes.

import { readFile, readdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { deflateRawSync } from "node:zlib";
import { build } from "esbuild";

const { values } = parseArgs({ options: { vsix: { type: "string" } } });

const { metafile } = await build({
  metafile: true,
  entryPoints: ["src/extension.ts"],
  outfile: "out/extension.js",
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  legalComments: "none",
});

if (values.vsix) await writeFile(values.vsix, zip(await packaged()));

/** The licences of what is bundled. */
async function notices() {
  const packages = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/);
    if (found) packages.add(found[0]);
  }
  const texts = [];
  for (const folder of [...packages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(`${folder}/${file}`, "utf8") : `${license}\n`;
    texts.push(`${name} ${version}\n${"-".repeat(60)}\n\n${text.replaceAll("\r\n", "\n").trimEnd()}\n`);
  }
  return Buffer.from(texts.join("\n\n"));
}

/** The files of the package with their names, in order. */
async function packaged() {
  const own = [
    "package.json",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "icon.png",
    "icon.svg",
    "language-configuration.json",
    "snippets.json",
    "out/extension.js",
    ...(await readdir("syntaxes")).sort().map((name) => `syntaxes/${name}`),
  ];
  const manifest = JSON.parse(await readFile("package.json", "utf8"));
  const files = [
    ["extension.vsixmanifest", Buffer.from(vsixManifest(manifest))],
    ["[Content_Types].xml", Buffer.from(contentTypes(own))],
  ];
  files.push(["extension/THIRD-PARTY.txt", await notices()]);
  for (const name of own) {
    const body = await readFile(name);
    files.push([`extension/${renamed(name)}`, name === "package.json" ? shipped(manifest) : body]);
  }
  return files;
}

/** The manifest without what only its sources need. */
function shipped({ scripts, devDependencies, private: _, ...rest }) {
  return Buffer.from(`${JSON.stringify(rest, null, 2)}\n`);
}

function renamed(name) {
  return name === "LICENSE" ? "LICENSE.txt" : name;
}

function xml(text) {
  return String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

function vsixManifest(m) {
  const assets = [
    ["Microsoft.VisualStudio.Code.Manifest", "package.json"],
    ["Microsoft.VisualStudio.Services.Content.Details", "README.md"],
    ["Microsoft.VisualStudio.Services.Content.Changelog", "CHANGELOG.md"],
    ["Microsoft.VisualStudio.Services.Content.License", "LICENSE.txt"],
    ["Microsoft.VisualStudio.Services.Icons.Default", "icon.png"],
  ];
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011" xmlns:d="http://schemas.microsoft.com/developer/vsx-schema-design/2011">
  <Metadata>
    <Identity Language="en-US" Id="${xml(m.name)}" Version="${xml(m.version)}" Publisher="${xml(m.publisher)}"/>
    <DisplayName>${xml(m.displayName)}</DisplayName>
    <Description xml:space="preserve">${xml(m.description)}</Description>
    <Tags>${xml(m.keywords.join(","))}</Tags>
    <Categories>${xml(m.categories.join(","))}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${xml(m.engines.vscode)}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionDependencies" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionPack" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="${xml(m.extensionKind.join(","))}"/>
      <Property Id="Microsoft.VisualStudio.Code.LocalizedLanguages" Value=""/>
    </Properties>
    <License>extension/LICENSE.txt</License>
    <Icon>extension/icon.png</Icon>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
${assets.map(([type, path]) => `    <Asset Type="${type}" Path="extension/${path}" Addressable="true"/>`).join("\n")}
  </Assets>
</PackageManifest>
`;
}

function contentTypes(names) {
  const types = { json: "application/json", md: "text/markdown", png: "image/png", svg: "image/svg+xml", js: "application/javascript", txt: "text/plain", vsixmanifest: "text/xml" };
  const used = new Set(["vsixmanifest", ...names.map((name) => renamed(name).replace(/^.*\./, ""))]);
  const defaults = [...used].sort().map((end) => `  <Default Extension=".${end}" ContentType="${types[end]}"/>`);
  return `<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\n${defaults.join("\n")}\n</Types>\n`;
}

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A zip archive whose files are all of the first of January 1980. */
function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [name, body] of files) {
    const path = Buffer.from(name);
    const packed = deflateRawSync(body, { level: 9 });
    // Version 2.0, names in UTF-8, deflated, time, date, checksum, sizes, the length of the name.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(0, 6);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(path.length, 22);
    parts.push(Buffer.from("PK\x03\x04"), common, path, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02"), Buffer.from([20, 0]), common, rest, path);
    offset += 30 + path.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from("PK\x05\x06"), end]);
}
