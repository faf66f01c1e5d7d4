// The language client: starts `bmc lsp`, says how it is, starts it again.

import * as os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import {
  ExecuteCommandRequest,
  LanguageClient,
  LSPErrorCodes,
  ResponseError,
  State,
  type LanguageClientOptions,
  type ServerOptions,
} from "vscode-languageclient/node";
import { binary, reason, run, tellMissing } from "./binary";

/** The longest that `bmc` may take to say which version it is. */
const VERSION_SECONDS = 10;
/** So long the server may take to start; one that takes longer is not waited for. */
const START_SECONDS = 30;
/** So often a question is asked whose answer edits overtake. */
const TRIES_MAX = 3;

export class Server implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("Bitmodel", { log: true });
  private readonly status = vscode.languages.createLanguageStatusItem("bmc.server", { language: "bmc" });
  private readonly started = new vscode.EventEmitter<void>();
  /** The server runs: for the first time, or again. */
  readonly onStarted = this.started.event;
  private client: LanguageClient | undefined;
  /** The last start or stop; each waits for the one before it, so that no server is left over. */
  private turn: Promise<void> = Promise.resolve();
  /** A start whose turn has not come yet. */
  private coming: Promise<void> | undefined;

  constructor() {
    this.status.name = "Bitmodel";
    this.status.command = { command: "bmc.restart", title: "Restart" };
    this.tell("not started", vscode.LanguageStatusSeverity.Warning);
  }

  private tell(text: string, severity = vscode.LanguageStatusSeverity.Information, busy = false): void {
    this.status.text = `bmc: ${text}`;
    this.status.severity = severity;
    this.status.busy = busy;
  }

  /** Starts the server anew, or says why it cannot. */
  start(): Promise<void> {
    this.coming ??= this.inTurn(() => {
      this.coming = undefined;
      return this.startNow();
    });
    return this.coming;
  }

  /** Ends the server, and waits until it has ended. */
  stop(): Promise<void> {
    return this.inTurn(() => this.stopNow());
  }

  private inTurn(action: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(action).catch((error) => this.log.error(reason(error)));
    return this.turn;
  }

  private async startNow(): Promise<void> {
    await this.stopNow();
    this.tell("starting", vscode.LanguageStatusSeverity.Information, true);
    let version: string;
    try {
      const ran = await run(["--version"], os.homedir(), { seconds: VERSION_SECONDS });
      if (ran.code !== 0) throw new Error(ran.stderr.trim() || `it ends with ${ran.code}`);
      version = ran.stdout.trim();
    } catch (error) {
      this.tell("not found", vscode.LanguageStatusSeverity.Error);
      this.log.error(`${binary()}: ${reason(error)}`);
      void tellMissing(reason(error));
      return;
    }
    this.log.info(`${binary()}: ${version}`);
    const server: ServerOptions = { command: binary(), args: ["lsp"] };
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: "file", language: "bmc" }],
      outputChannel: this.log,
      // Changes of the settings it follows by itself.
      initializationOptions: { bmc: vscode.workspace.getConfiguration("bmc") },
      diagnosticPullOptions: { onChange: true, onSave: true },
    };
    const client = new LanguageClient("bmc", "Bitmodel", server, options);
    // The commands of lenses are this extension's own, and some have the name of a question to the server.
    const commands = client.getFeature(ExecuteCommandRequest.method);
    if (commands) commands.initialize = () => {};
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        this.tell(version);
        this.started.fire();
      }
      if (newState === State.Stopped) this.tell("stopped", vscode.LanguageStatusSeverity.Warning);
    });
    this.client = client;
    try {
      const late = async () => {
        await sleep(START_SECONDS * 1000, undefined, { ref: false });
        throw new Error(`it says nothing for ${START_SECONDS} seconds`);
      };
      await Promise.race([client.start(), late()]);
    } catch (error) {
      this.tell("failed", vscode.LanguageStatusSeverity.Error);
      this.log.error(`the language server does not start: ${reason(error)}`);
    }
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch {
      // It had stopped by itself, or was still starting; its process is ended in either case.
    }
  }

  /** Asks the server, and asks again where an edit has stopped the answer. Fails if the server does not run. */
  async ask<T>(method: string, params: unknown): Promise<T> {
    for (let tries = 1; ; tries++) {
      if (this.client?.state !== State.Running) throw new Error("the language server does not run");
      try {
        return await this.client.sendRequest<T>(method, params);
      } catch (error) {
        const overtaken = error instanceof ResponseError && error.code === LSPErrorCodes.ContentModified;
        if (!overtaken || tries === TRIES_MAX) throw error;
      }
    }
  }

  /** Lets the server carry out a command; nothing if it does not run, or has none of that name. */
  async execute<T>(command: string, args: unknown[]): Promise<T | undefined> {
    const known = this.client?.initializeResult?.capabilities.executeCommandProvider?.commands ?? [];
    if (this.client?.state !== State.Running || !known.includes(command)) return undefined;
    return await this.ask<T>(ExecuteCommandRequest.method, { command, arguments: args });
  }

  /** The URI of a document as the server knows it. */
  uri(of: vscode.Uri): string {
    return this.client?.code2ProtocolConverter.asUri(of) ?? of.toString();
  }

  dispose(): void {
    void this.stop().finally(() => {
      this.status.dispose();
      this.started.dispose();
      this.log.dispose();
    });
  }
}
