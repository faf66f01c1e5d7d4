// The language client: starts `bmc lsp`, says how it is, starts it again.

import * as vscode from "vscode";
import {
  ExecuteCommandRequest,
  LanguageClient,
  State,
  type LanguageClientOptions,
  type ServerOptions,
} from "vscode-languageclient/node";
import { binary, run, tellMissing } from "./binary";

export class Server implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("Bitmodel", { log: true });
  private readonly status = vscode.languages.createLanguageStatusItem("bmc.server", { language: "bmc" });
  private readonly started = new vscode.EventEmitter<void>();
  /** The server has started and answers. */
  readonly onStarted = this.started.event;
  private client: LanguageClient | undefined;

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

  /** Starts the server, or says why it cannot. */
  async start(): Promise<void> {
    await this.stop();
    this.tell("starting", vscode.LanguageStatusSeverity.Information, true);
    let version: string;
    try {
      const ran = await run(["--version"], vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? process.cwd());
      if (ran.code !== 0) throw new Error(ran.stderr.trim() || `it ends with ${ran.code}`);
      version = ran.stdout.trim();
    } catch (error) {
      this.tell("not found", vscode.LanguageStatusSeverity.Error);
      this.log.error(`${binary()}: ${error}`);
      void tellMissing(error instanceof Error ? error.message : String(error));
      return;
    }
    this.log.info(`${binary()}: ${version}`);
    const server: ServerOptions = { command: binary(), args: ["lsp"] };
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: "file", language: "bmc" }],
      outputChannel: this.log,
      initializationOptions: { hints: { cost: vscode.workspace.getConfiguration("bmc").get("hints.cost", false) } },
      diagnosticPullOptions: { onChange: true, onSave: true },
    };
    const client = new LanguageClient("bmc", "Bitmodel", server, options);
    // The commands of lenses are this extension's own, and some have the name of a question to the server.
    const commands = client.getFeature(ExecuteCommandRequest.method);
    if (commands) commands.initialize = () => {};
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) this.tell(version);
      if (newState === State.Stopped) this.tell("stopped", vscode.LanguageStatusSeverity.Warning);
    });
    this.client = client;
    try {
      await client.start();
      this.started.fire();
    } catch (error) {
      this.tell("failed", vscode.LanguageStatusSeverity.Error);
      this.log.error(`the language server does not start: ${error}`);
    }
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch {
      // It had stopped by itself.
    }
  }

  /** Asks the server; nothing if it does not run. */
  async ask<T>(method: string, params: unknown, stop?: vscode.CancellationToken): Promise<T | undefined> {
    if (this.client?.state !== State.Running) return undefined;
    // A token that is not there would be sent as a second parameter.
    return await (stop ? this.client.sendRequest<T>(method, params, stop) : this.client.sendRequest<T>(method, params));
  }

  /** Lets the server carry out a command; nothing if it has none of that name. */
  async execute<T>(command: string, args: unknown[]): Promise<T | undefined> {
    const known = this.client?.initializeResult?.capabilities.executeCommandProvider?.commands ?? [];
    if (!known.includes(command)) return undefined;
    return await this.ask<T>(ExecuteCommandRequest.method, { command, arguments: args });
  }

  /** The URI of a document as the server knows it. */
  uri(of: vscode.Uri): string {
    return this.client?.code2ProtocolConverter.asUri(of) ?? of.toString();
  }

  dispose(): void {
    void this.stop();
    this.status.dispose();
    this.started.dispose();
    this.log.dispose();
  }
}
