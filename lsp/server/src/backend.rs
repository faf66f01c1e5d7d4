//! The handlers: each takes its ticket, hands in what is to be done, and awaits the answer alone.

use std::cell::RefCell;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use driver::Stopped;
use ide::{Answer, Ground, Lines, Snapshot};
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::lsp_types::*;
use tower_lsp::{Client, LanguageServer};

use crate::answers::About;
use crate::capabilities::{self, Settings};
use crate::config::{Config, Current};
use crate::convert::{Convert, bytes, offset};
use crate::documents::{Documents, path_of};
use crate::lenses::{self, Subject};
use crate::ordered::{Aside, Line, ticket};
use crate::owner::{Asker, Cancel, Owner, Reach};
use crate::progress::{Place, Progress};
use crate::report::Reporter;
use crate::tokens::{TokenCache, encode};
use crate::{actions, files};

/// What the protocol calls `RequestFailed`: nothing is wrong with the question, but there is no answer.
const REQUEST_FAILED: i64 = -32803;

/// The most symbols of an answer.
const SYMBOLS_MAX: usize = 500;

/// What handlers and threads share.
pub(crate) struct Shared {
    pub(crate) ground: Arc<dyn Ground>,
    pub(crate) documents: Documents,
    settings: OnceLock<Settings>,
    pub(crate) config: Current,
    tokens: TokenCache,
}

impl Shared {
    /// What the client can do.
    pub(crate) fn settings(&self) -> Settings {
        self.settings.get().copied().unwrap_or_default()
    }

    /// What the user has set.
    pub(crate) fn config(&self) -> Config {
        self.config.get()
    }

    pub(crate) fn convert(&self) -> Convert<'_> {
        Convert {
            encoding: self.settings().encoding,
            documents: &self.documents,
            ground: &*self.ground,
            known: RefCell::default(),
        }
    }

    fn path(&self, url: &Url) -> Arc<str> {
        path_of(url, &*self.ground)
    }

    /// The diagnostics of a source.
    pub(crate) fn diagnostics(&self, snapshot: &Snapshot, path: &str) -> Answer<Vec<Diagnostic>> {
        let convert = self.convert();
        let Some(lines) = snapshot.lines(path) else { return Ok(Vec::new()) };
        let mut problems = snapshot.problems(path)?;
        problems.extend(snapshot.code_problems(path)?);
        Ok(problems.iter().map(|problem| convert.diagnostic(snapshot, &lines, problem)).collect())
    }
}

/// The server.
pub(crate) struct Backend {
    pub(crate) client: Client,
    pub(crate) shared: Arc<Shared>,
}

impl Backend {
    pub(crate) fn new(client: Client, ground: Arc<dyn Ground>, line: Line<Owner>, aside: Aside<Owner>) -> Self {
        let shared = Arc::new(Shared {
            ground: Arc::clone(&ground),
            documents: Documents::default(),
            settings: OnceLock::new(),
            config: Current::default(),
            tokens: TokenCache::default(),
        });
        let reporter = Reporter::new(Arc::clone(&shared), client.clone(), aside);
        // Without that thread every question is answered by an error.
        let _ = Owner::start(ground, reporter, line);
        Self { client, shared }
    }

    /// The answer to what is no message.
    pub(crate) async fn malformed(&self) -> Result<()> {
        Err(Error::parse_error())
    }

    /// Hands in a change of the state.
    fn tell(&self, task: impl FnOnce(&mut Owner) + Send + 'static) {
        if let Some(ticket) = ticket() {
            ticket.hand_in(Box::new(task));
        }
    }

    /// Puts a question to the state at this place in the order, and awaits its answer. Giving up stops it.
    async fn ask<Q, T>(
        &self,
        reach: Reach,
        question: impl FnOnce(&mut Owner) -> Q + Send + 'static,
        armed: impl FnOnce(&Q, &Cancel) + Send + 'static,
        answer: impl FnOnce(&Shared, Q) -> Answer<T> + Send + 'static,
    ) -> Result<T>
    where
        Q: Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let cancel = Arc::new(Cancel::default());
        let asker = Asker(Arc::clone(&cancel));
        let shared = Arc::clone(&self.shared);
        let Some(ticket) = ticket() else { return Err(Error::internal_error()) };
        ticket.hand_in(Box::new(move |owner| {
            let question = question(owner);
            armed(&question, &cancel);
            owner.worker(reach).run(move || {
                let answer = if cancel.is_given_up() { Err(Stopped::Asked) } else { answer(&shared, question) };
                // Nobody may wait any more.
                let _ = sender.send(answer);
            });
        }));
        let limit = self.shared.config().answer;
        let answer = tokio::time::timeout(limit, receiver).await;
        drop(asker);
        let Ok(answer) = answer else {
            let message = format!("this took longer than the {} seconds of `bmc.answerSeconds`", limit.as_secs());
            // What was cancelled is shown to nobody.
            return Err(Error { code: ErrorCode::ServerError(REQUEST_FAILED), message: message.into(), data: None });
        };
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Stopped::Edited)) => Err(Error::new(ErrorCode::ContentModified)),
            Ok(Err(Stopped::Asked)) => Err(Error::request_cancelled()),
            // The thread that was to answer has panicked.
            Err(_) => Err(Error::internal_error()),
        }
    }

    /// A question about one document. It gets the document's lines.
    pub(crate) async fn ask_about<T: Default + Send + 'static>(
        &self,
        url: &Url,
        answer: impl FnOnce(&Shared, &Snapshot, &str, &Lines) -> Answer<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.shared.path(url);
        let about = Arc::clone(&path);
        self.ask(
            Reach::Package,
            move |owner| owner.host().snapshot(&about),
            |snapshot, cancel| snapshot.iter().for_each(|snapshot| cancel.arm(snapshot.canceller())),
            move |shared, snapshot| match snapshot.and_then(|snapshot| Some((snapshot.lines(&path)?, snapshot))) {
                Some((lines, snapshot)) => answer(shared, &snapshot, &path, &lines),
                None => Ok(T::default()),
            },
        )
        .await
    }

    /// A question about a place in a document.
    async fn at<T: Send + 'static>(
        &self,
        place: TextDocumentPositionParams,
        answer: impl FnOnce(&About<'_>) -> Answer<Option<T>> + Send + 'static,
    ) -> Result<Option<T>> {
        let url = place.text_document.uri.clone();
        self.ask_about(&url, move |shared, snapshot, path, lines| {
            let convert = shared.convert();
            let offset = offset(lines, convert.encoding, place.position);
            answer(&About { convert, snapshot, path, lines, offset, place: &place })
        })
        .await
    }

    /// The edits that lay a document out; none if it cannot be parsed. Once that is known no edit has to wait for them.
    async fn ask_layout(
        &self,
        url: &Url,
        edits: impl FnOnce(&Shared, &Lines) -> Vec<TextEdit> + Send + 'static,
    ) -> Result<Option<Vec<TextEdit>>> {
        let path = self.shared.path(url);
        let about = Arc::clone(&path);
        self.ask(
            Reach::Package,
            move |owner| owner.host().snapshot(&about),
            |snapshot, cancel| snapshot.iter().for_each(|snapshot| cancel.arm(snapshot.canceller())),
            move |shared, snapshot| {
                let Some(snapshot) = snapshot.filter(|snapshot| snapshot.version(&path).is_some()) else {
                    return Ok(None);
                };
                let (lines, parses) = (snapshot.lines(&path), snapshot.parses(&path)?);
                drop(snapshot);
                Ok(lines.map(|lines| if parses { edits(shared, &lines) } else { Vec::new() }))
            },
        )
        .await
    }

    /// A question about all packages, which may take so long that progress is shown.
    pub(crate) async fn ask_all<T: Default + Send + 'static>(
        &self,
        title: &'static str,
        token: Option<ProgressToken>,
        answer: impl FnOnce(&Shared, &[Snapshot]) -> Answer<T> + Send + 'static,
    ) -> Result<T> {
        let _shown = self.progress(token, title);
        self.ask(
            Reach::Everything,
            |owner| owner.host().snapshots(),
            |snapshots, cancel| snapshots.iter().for_each(|snapshot| cancel.arm(snapshot.canceller())),
            move |shared, snapshots| answer(shared, &snapshots),
        )
        .await
    }

    async fn tokens(&self, url: &Url) -> Result<(Arc<str>, Vec<SemanticToken>)> {
        let tokens = self
            .ask_about(url, |shared, snapshot, path, lines| {
                Ok(encode(shared.settings().encoding, lines, &snapshot.tokens(path, None)?))
            })
            .await?;
        Ok((self.shared.path(url), tokens))
    }

    /// Shows that something is being done until what this gives is dropped.
    fn progress(&self, token: Option<ProgressToken>, title: &'static str) -> Progress {
        Progress::begin(&self.client, Place::of(token, self.shared.settings().progress), title)
    }

    /// Files were made, renamed or deleted.
    fn rearranged(&self, urls: &[Url]) {
        let paths: Vec<Arc<str>> = urls.iter().map(|url| self.shared.path(url)).collect();
        let shown = self.progress(None, "reading the workspace");
        self.tell(move |owner| {
            owner.host().rearranged(&paths);
            owner.reporter.changed();
            drop(shown);
        });
    }
}

#[tower_lsp::async_trait]
impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let settings = *self.shared.settings.get_or_init(|| Settings::of(&params.capabilities));
        if let Some(config) = params.initialization_options.as_ref().and_then(Config::of) {
            self.shared.config.set(config);
        }
        let root = params.root_uri.into_iter();
        let folders: Vec<Url> = match params.workspace_folders {
            Some(folders) => folders.into_iter().map(|folder| folder.uri).collect(),
            None => root.collect(),
        };
        let folders: Vec<Arc<str>> = folders.iter().map(|url| self.shared.path(url)).collect();
        self.tell(move |owner| folders.iter().for_each(|folder| owner.host().add_folder(folder)));
        Ok(InitializeResult {
            capabilities: capabilities::server(settings),
            server_info: Some(ServerInfo {
                name: "bmc".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        let settings = self.shared.settings();
        if settings.watches {
            self.watch();
        }
        if settings.says_settings {
            self.follow_settings();
        }
        if settings.configures {
            self.pull_config();
        }
        // The folders are opened before this message has its turn.
        let shown = self.progress(None, "opening the workspace");
        self.tell(move |_| drop(shown));
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let TextDocumentItem { uri, version, text, .. } = params.text_document;
        let path = self.shared.path(&uri);
        self.shared.documents.set(&path, uri, version);
        self.tell(move |owner| {
            owner.host().open(&path, text.into(), version);
            owner.reporter.changed();
        });
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let VersionedTextDocumentIdentifier { uri, version } = params.text_document;
        let path = self.shared.path(&uri);
        self.shared.documents.advance(&path, version);
        let encoding = self.shared.settings().encoding;
        self.tell(move |owner| {
            owner.edit(&path, version, |lines| {
                params.content_changes.into_iter().fold(lines, |lines, change| match change.range {
                    Some(range) => lines.replaced(bytes(&lines, encoding, range), &change.text),
                    None => Lines::new(change.text.into()),
                })
            });
        });
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        let path = self.shared.path(&uri);
        self.shared.documents.close(&path);
        self.shared.tokens.forget(&path);
        self.tell(move |owner| {
            owner.host().close(&path);
            owner.reporter.clear(&path, uri);
            owner.reporter.changed();
        });
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {}

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        if self.shared.settings().configures {
            return self.pull_config();
        }
        if let Some(config) = Config::of(&params.settings) {
            self.take_config(config);
        }
    }

    async fn will_rename_files(&self, params: RenameFilesParams) -> Result<Option<WorkspaceEdit>> {
        let moves = files::moves(&self.shared, &params.files);
        self.ask_all("renaming files", None, move |shared, snapshots| files::renamed(shared, snapshots, &moves)).await
    }

    async fn did_rename_files(&self, params: RenameFilesParams) {
        let named = params.files.iter().flat_map(|file| [&file.old_uri, &file.new_uri]);
        let urls: Vec<Url> = named.filter_map(|uri| Url::parse(uri).ok()).collect();
        self.rearranged(&urls);
    }

    async fn did_create_files(&self, params: CreateFilesParams) {
        let urls: Vec<Url> = params.files.iter().filter_map(|file| Url::parse(&file.uri).ok()).collect();
        self.rearranged(&urls);
    }

    async fn did_delete_files(&self, params: DeleteFilesParams) {
        let urls: Vec<Url> = params.files.iter().filter_map(|file| Url::parse(&file.uri).ok()).collect();
        self.rearranged(&urls);
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let paths: Vec<Arc<str>> = params.changes.iter().map(|change| self.shared.path(&change.uri)).collect();
        self.tell(move |owner| {
            paths.iter().for_each(|path| owner.host().changed_below(path));
            owner.reporter.changed();
        });
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let paths = |folders: Vec<WorkspaceFolder>| -> Vec<Arc<str>> {
            folders.iter().map(|folder| self.shared.path(&folder.uri)).collect()
        };
        let (added, removed) = (paths(params.event.added), paths(params.event.removed));
        self.tell(move |owner| {
            removed.iter().for_each(|folder| owner.host().remove_folder(folder));
            added.iter().for_each(|folder| owner.host().add_folder(folder));
            owner.reporter.changed();
        });
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        self.ask_about(&params.text_document.uri, |shared, snapshot, path, lines| {
            let (convert, symbols) = (shared.convert(), snapshot.outline(path)?);
            let nested: Vec<_> = symbols.into_iter().map(|symbol| convert.symbol(lines, symbol)).collect();
            Ok(Some(nested.into()))
        })
        .await
    }

    async fn symbol(&self, params: WorkspaceSymbolParams) -> Result<Option<Vec<SymbolInformation>>> {
        let token = params.work_done_progress_params.work_done_token.clone();
        self.ask_all("looking for symbols", token, move |shared, snapshots| {
            let convert = shared.convert();
            let mut found: Vec<SymbolInformation> = Vec::new();
            for snapshot in snapshots {
                for (path, symbol) in snapshot.symbols(&params.query, SYMBOLS_MAX)? {
                    let Some(location) = convert.location(snapshot, &path, &symbol.name_range) else { continue };
                    #[expect(deprecated, reason = "the type demands the field")]
                    let information = SymbolInformation {
                        name: symbol.name,
                        kind: crate::convert::symbol_kind(symbol.kind),
                        tags: None,
                        deprecated: None,
                        location,
                        container_name: (!symbol.detail.is_empty()).then_some(symbol.detail),
                    };
                    // Several packages may know one source.
                    if !found.iter().any(|known| known.location == information.location) {
                        found.push(information);
                    }
                }
            }
            found.truncate(SYMBOLS_MAX);
            Ok(Some(found))
        })
        .await
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        self.ask_about(&params.text_document.uri, |shared, snapshot, path, lines| {
            let convert = shared.convert();
            let mut folds: Vec<_> = snapshot.folds(path)?.iter().map(|fold| convert.fold(lines, fold)).collect();
            folds.retain(|fold| fold.start_line < fold.end_line);
            folds.sort_by_key(|fold| (fold.start_line, std::cmp::Reverse(fold.end_line)));
            folds.dedup_by_key(|fold| fold.start_line);
            Ok(Some(folds))
        })
        .await
    }

    async fn selection_range(&self, params: SelectionRangeParams) -> Result<Option<Vec<SelectionRange>>> {
        self.ask_about(&params.text_document.uri, move |shared, snapshot, path, lines| {
            let convert = shared.convert();
            let places = params.positions.iter().map(|position| offset(lines, convert.encoding, *position));
            let found = snapshot.selections(path, &places.collect::<Vec<_>>())?;
            Ok(Some(found.iter().map(|ranges| convert.selection(lines, ranges)).collect()))
        })
        .await
    }

    async fn formatting(&self, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        self.ask_layout(&params.text_document.uri, |shared, lines| {
            shared.convert().edits(lines, ide::layout(lines.text(), None))
        })
        .await
    }

    async fn range_formatting(&self, params: DocumentRangeFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        self.ask_layout(&params.text_document.uri, move |shared, lines| {
            let convert = shared.convert();
            let within = bytes(lines, convert.encoding, params.range);
            convert.edits(lines, ide::layout(lines.text(), Some(within)))
        })
        .await
    }

    async fn on_type_formatting(&self, params: DocumentOnTypeFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        let TextDocumentPositionParams { text_document, position } = params.text_document_position;
        let typed = params.ch.chars().next().unwrap_or('\n');
        self.ask_layout(&text_document.uri, move |shared, lines| {
            let convert = shared.convert();
            let at = offset(lines, convert.encoding, position);
            convert.edits(lines, ide::layout_as_typed(lines.text(), at, typed))
        })
        .await
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        self.at(params.text_document_position_params, |about| {
            about.locations(about.snapshot.definition(about.path, about.offset)?)
        })
        .await
    }

    async fn goto_type_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        self.at(params.text_document_position_params, |about| {
            about.locations(about.snapshot.type_definition(about.path, about.offset)?)
        })
        .await
    }

    async fn goto_implementation(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        self.at(params.text_document_position_params, |about| {
            about.locations(about.snapshot.implementations(about.path, about.offset)?)
        })
        .await
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let with_declaration = params.context.include_declaration;
        self.at(params.text_document_position, move |about| about.references(with_declaration)).await
    }

    async fn document_highlight(&self, params: DocumentHighlightParams) -> Result<Option<Vec<DocumentHighlight>>> {
        self.at(params.text_document_position_params, |about| about.highlights()).await
    }

    async fn prepare_rename(&self, params: TextDocumentPositionParams) -> Result<Option<PrepareRenameResponse>> {
        self.at(params, |about| {
            let range = about.snapshot.renamable(about.path, about.offset)?;
            Ok(range.map(|range| PrepareRenameResponse::Range(about.convert.range(about.lines, &range))))
        })
        .await
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let to = params.new_name;
        let renamed = self
            .at(params.text_document_position, move |about| {
                let edits = about.snapshot.rename(about.path, about.offset, &to)?;
                Ok(Some(edits.map(|edits| about.convert.workspace_edit(about.snapshot, &edits, &[]))))
            })
            .await?;
        renamed.transpose().map_err(|why| Error { code: ErrorCode::InvalidParams, message: why.into(), data: None })
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.at(params.text_document_position_params, |about| {
            let hover = about.snapshot.hover(about.path, about.offset)?;
            Ok(hover.map(|hover| about.hover(hover)))
        })
        .await
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let snippets = self.shared.settings().snippets;
        self.at(params.text_document_position, move |about| {
            let found = about.snapshot.completions(about.path, about.offset)?;
            Ok(Some(about.completions(found, snippets).into()))
        })
        .await
    }

    async fn completion_resolve(&self, item: CompletionItem) -> Result<CompletionItem> {
        let place = item.data.clone().and_then(|data| serde_json::from_value::<TextDocumentPositionParams>(data).ok());
        let Some(place) = place else { return Ok(item) };
        let label = item.label.clone();
        let docs =
            self.at(place, move |about| about.snapshot.completion_docs(about.path, about.offset, &label)).await?;
        let documentation =
            docs.map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value }));
        Ok(CompletionItem { documentation, ..item })
    }

    async fn signature_help(&self, params: SignatureHelpParams) -> Result<Option<SignatureHelp>> {
        self.at(params.text_document_position_params, |about| {
            let found = about.snapshot.signature(about.path, about.offset)?;
            Ok(found.map(crate::answers::signature))
        })
        .await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.ask_about(&params.text_document.uri, move |shared, snapshot, path, lines| {
            let convert = shared.convert();
            let config = shared.config();
            let hints = snapshot.hints(path, &bytes(lines, convert.encoding, params.range), config.cost_hints)?;
            let shown = hints.iter().filter(|hint| config.shows(hint.kind));
            Ok(Some(shown.map(|hint| crate::answers::hint(&convert, lines, hint)).collect()))
        })
        .await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask_about(&params.text_document.uri, |shared, snapshot, path, lines| {
            Ok(Some(lenses::lenses(&shared.convert(), snapshot, path, lines)?))
        })
        .await
    }

    async fn code_lens_resolve(&self, lens: CodeLens) -> Result<CodeLens> {
        let Some(Subject { uri, name: Some(name), spend }) = lens.data.as_ref().and_then(Subject::read) else {
            return Ok(lens);
        };
        let title = self
            .ask_about(&uri, move |_, snapshot, path, _| snapshot.cost_title(path, &name, spend.as_deref()))
            .await?;
        Ok(lenses::resolved(lens, title))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<serde_json::Value>> {
        let command = params.command;
        if !lenses::COMMANDS.contains(&command.as_str()) {
            return Err(Error::invalid_params(format!("there is no command `{command}`")));
        }
        let Some(subject) = params.arguments.first().and_then(Subject::read) else {
            return Err(Error::invalid_params(format!("`{command}` needs {{ \"uri\": … }} as its argument")));
        };
        let uri = subject.uri.clone();
        self.ask_about(&uri, move |shared, snapshot, path, lines| {
            lenses::execute(&command, &subject, &shared.convert(), snapshot, path, lines)
        })
        .await
    }

    async fn prepare_call_hierarchy(
        &self,
        params: CallHierarchyPrepareParams,
    ) -> Result<Option<Vec<CallHierarchyItem>>> {
        self.at(params.text_document_position_params, |about| {
            let found = about.snapshot.caller(about.path, about.offset)?;
            Ok(found.and_then(|found| Some(vec![about.caller(&found)?])))
        })
        .await
    }

    async fn incoming_calls(
        &self,
        params: CallHierarchyIncomingCallsParams,
    ) -> Result<Option<Vec<CallHierarchyIncomingCall>>> {
        self.at(place_of(params.item), |about| {
            let found = about.snapshot.incoming(about.path, about.offset)?;
            let call = |calls: &ide::Calls| {
                let from = about.caller(&calls.other)?;
                Some(CallHierarchyIncomingCall { from, from_ranges: about.places(&calls.other.path, &calls.places)? })
            };
            Ok(Some(found.iter().filter_map(call).collect()))
        })
        .await
    }

    async fn outgoing_calls(
        &self,
        params: CallHierarchyOutgoingCallsParams,
    ) -> Result<Option<Vec<CallHierarchyOutgoingCall>>> {
        self.at(place_of(params.item), |about| {
            let found = about.snapshot.outgoing(about.path, about.offset)?;
            let call = |calls: &ide::Calls| {
                let to = about.caller(&calls.other)?;
                Some(CallHierarchyOutgoingCall { to, from_ranges: about.places(about.path, &calls.places)? })
            };
            Ok(Some(found.iter().filter_map(call).collect()))
        })
        .await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let url = params.text_document.uri.clone();
        self.ask_about(&url, move |shared, snapshot, path, lines| {
            actions::actions(shared, snapshot, path, lines, &params)
        })
        .await
    }

    async fn code_action_resolve(&self, action: CodeAction) -> Result<CodeAction> {
        let Some(listed) = actions::Listed::of(&action) else { return Ok(action) };
        let url = listed.uri().clone();
        let edit = self
            .ask_about(&url, move |shared, snapshot, path, lines| listed.edit(shared, snapshot, path, lines))
            .await?;
        Ok(CodeAction { edit, ..action })
    }

    async fn semantic_tokens_full(&self, params: SemanticTokensParams) -> Result<Option<SemanticTokensResult>> {
        let (path, tokens) = self.tokens(&params.text_document.uri).await?;
        Ok(Some(self.shared.tokens.full(&path, tokens).into()))
    }

    async fn semantic_tokens_full_delta(
        &self,
        params: SemanticTokensDeltaParams,
    ) -> Result<Option<SemanticTokensFullDeltaResult>> {
        let (path, tokens) = self.tokens(&params.text_document.uri).await?;
        Ok(Some(self.shared.tokens.delta(&path, &params.previous_result_id, tokens)))
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        self.ask_about(&params.text_document.uri, move |shared, snapshot, path, lines| {
            let convert = shared.convert();
            let within = bytes(lines, convert.encoding, params.range);
            let data = encode(convert.encoding, lines, &snapshot.tokens(path, Some(within))?);
            Ok(Some(SemanticTokens { result_id: None, data }.into()))
        })
        .await
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let diagnostics = self
            .ask_about(&params.text_document.uri, |shared, snapshot, path, _| shared.diagnostics(snapshot, path))
            .await?;
        let name = name_of(&diagnostics);
        let report = if params.previous_result_id.as_ref() == Some(&name) {
            DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
                related_documents: None,
                unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id: name },
            })
        } else {
            DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
                related_documents: None,
                full_document_diagnostic_report: FullDocumentDiagnosticReport {
                    result_id: Some(name),
                    items: diagnostics,
                },
            })
        };
        Ok(report.into())
    }

    async fn workspace_diagnostic(&self, params: WorkspaceDiagnosticParams) -> Result<WorkspaceDiagnosticReportResult> {
        let token = params.work_done_progress_params.work_done_token.clone();
        let items = self
            .ask_all("checking the workspace", token, move |shared, snapshots| {
                let mut items = Vec::new();
                for snapshot in snapshots {
                    for path in snapshot.own_sources() {
                        let Some(uri) = shared.documents.url(&path, &*shared.ground) else { continue };
                        let diagnostics = shared.diagnostics(snapshot, &path)?;
                        let known = params.previous_result_ids.iter().find(|known| known.uri == uri);
                        items.push(report(uri, snapshot.version(&path), diagnostics, known.map(|known| &known.value)));
                    }
                }
                Ok(items)
            })
            .await?;
        Ok(WorkspaceDiagnosticReport { items }.into())
    }
}

/// Where an item of the call hierarchy has its name.
fn place_of(item: CallHierarchyItem) -> TextDocumentPositionParams {
    TextDocumentPositionParams::new(TextDocumentIdentifier::new(item.uri), item.selection_range.start)
}

/// The report about one document of the workspace.
fn report(
    uri: Url,
    version: Option<i32>,
    diagnostics: Vec<Diagnostic>,
    known: Option<&String>,
) -> WorkspaceDocumentDiagnosticReport {
    let (name, version) = (name_of(&diagnostics), version.map(i64::from));
    if known == Some(&name) {
        let unchanged = UnchangedDocumentDiagnosticReport { result_id: name };
        return WorkspaceUnchangedDocumentDiagnosticReport {
            uri,
            version,
            unchanged_document_diagnostic_report: unchanged,
        }
        .into();
    }
    let full = FullDocumentDiagnosticReport { result_id: Some(name), items: diagnostics };
    WorkspaceFullDocumentDiagnosticReport { uri, version, full_document_diagnostic_report: full }.into()
}

/// Diagnostics that are equal have one name.
fn name_of(diagnostics: &[Diagnostic]) -> String {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(diagnostics).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
