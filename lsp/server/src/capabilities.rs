//! What the server says it can do, and what the client says.

use ide::{Encoding, TOKEN_KINDS, TOKEN_MODIFIERS};
use tower_lsp::lsp_types::*;

/// What the client can do, as far as it makes a difference.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) encoding: Encoding,
    /// It asks for diagnostics by itself, so none are pushed.
    pub(crate) pulls: bool,
    /// It can be asked to watch files.
    pub(crate) watches: bool,
    /// It fills in snippets.
    pub(crate) snippets: bool,
    /// It asks for the edits of one code action instead of getting those of all.
    pub(crate) resolves: bool,
    /// Its edits can create files.
    pub(crate) creates: bool,
    /// It answers what is set.
    pub(crate) configures: bool,
    /// It can be asked to say when settings change.
    pub(crate) says_settings: bool,
    /// It can be asked to ask for lenses again.
    pub(crate) refreshes_lenses: bool,
    /// It can be asked to ask for inlay hints again.
    pub(crate) refreshes_hints: bool,
    /// It can be asked to ask for diagnostics again.
    pub(crate) refreshes_diagnostics: bool,
    /// It shows progress that it has not asked for.
    pub(crate) progress: bool,
}

impl Settings {
    pub(crate) fn of(client: &ClientCapabilities) -> Self {
        let documents = client.text_document.as_ref();
        let watched = client.workspace.as_ref().and_then(|workspace| workspace.did_change_watched_files.as_ref());
        let workspace = client.workspace.as_ref();
        let resolve = documents.and_then(|documents| documents.code_action.as_ref()?.resolve_support.as_ref());
        let edits = workspace.and_then(|workspace| workspace.workspace_edit.as_ref()?.resource_operations.as_deref());
        let completion = documents.and_then(|documents| documents.completion.as_ref()?.completion_item.as_ref());
        let lenses = workspace.and_then(|workspace| workspace.code_lens.as_ref()?.refresh_support);
        let hints = workspace.and_then(|workspace| workspace.inlay_hint.as_ref()?.refresh_support);
        let diagnostics = workspace.and_then(|workspace| workspace.diagnostic.as_ref()?.refresh_support);
        Self {
            refreshes_lenses: lenses == Some(true),
            refreshes_hints: hints == Some(true),
            refreshes_diagnostics: diagnostics == Some(true),
            encoding: encoding_of(client),
            snippets: completion.is_some_and(|item| item.snippet_support == Some(true)),
            pulls: documents.is_some_and(|documents| documents.diagnostic.is_some()),
            resolves: resolve.is_some_and(|able| able.properties.iter().any(|property| property == "edit")),
            creates: edits.is_some_and(|able| able.contains(&ResourceOperationKind::Create)),
            configures: workspace.is_some_and(|workspace| workspace.configuration == Some(true)),
            says_settings: workspace.is_some_and(|workspace| {
                workspace.did_change_configuration.is_some_and(|able| able.dynamic_registration == Some(true))
            }),
            progress: client.window.as_ref().is_some_and(|window| window.work_done_progress == Some(true)),
            watches: watched.is_some_and(|watched| watched.dynamic_registration == Some(true)),
        }
    }
}

/// Bytes if the client can count them.
fn encoding_of(client: &ClientCapabilities) -> Encoding {
    let offered = client.general.as_ref().and_then(|general| general.position_encodings.as_deref()).unwrap_or_default();
    if offered.contains(&PositionEncodingKind::UTF8) {
        Encoding::Utf8
    } else if offered.contains(&PositionEncodingKind::UTF32) && !offered.contains(&PositionEncodingKind::UTF16) {
        Encoding::Utf32
    } else {
        Encoding::Utf16
    }
}

const fn encoding_kind(encoding: Encoding) -> PositionEncodingKind {
    match encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
        Encoding::Utf32 => PositionEncodingKind::UTF32,
    }
}

/// The client may give such a question the name under which progress is told.
const SHOWS_PROGRESS: WorkDoneProgressOptions = WorkDoneProgressOptions { work_done_progress: Some(true) };

pub(crate) fn server(settings: Settings) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding_kind(settings.encoding)),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            ..Default::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(true) }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: crate::lenses::COMMANDS.map(str::to_owned).to_vec(),
            ..Default::default()
        }),
        completion_provider: Some(CompletionOptions {
            resolve_provider: Some(true),
            trigger_characters: Some(vec![".".to_owned(), ":".to_owned(), "/".to_owned()]),
            ..Default::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(vec!["(".to_owned(), ",".to_owned()]),
            ..Default::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        type_definition_provider: Some(TypeDefinitionProviderCapability::Simple(true)),
        implementation_provider: Some(ImplementationProviderCapability::Simple(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        call_hierarchy_provider: Some(CallHierarchyServerCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Right(WorkspaceSymbolOptions {
            work_done_progress_options: SHOWS_PROGRESS,
            resolve_provider: None,
        })),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        selection_range_provider: Some(SelectionRangeProviderCapability::Simple(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_range_formatting_provider: Some(OneOf::Left(true)),
        document_on_type_formatting_provider: Some(DocumentOnTypeFormattingOptions {
            first_trigger_character: "}".to_owned(),
            more_trigger_character: Some(vec![";".to_owned(), "\n".to_owned()]),
        }),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(crate::actions::kinds()),
            resolve_provider: Some(true),
            ..Default::default()
        })),
        semantic_tokens_provider: Some(semantic_tokens().into()),
        diagnostic_provider: Some(DiagnosticServerCapabilities::Options(DiagnosticOptions {
            identifier: Some("bmc".to_owned()),
            inter_file_dependencies: true,
            workspace_diagnostics: true,
            work_done_progress_options: SHOWS_PROGRESS,
        })),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: Some(crate::files::operations()),
        }),
        ..Default::default()
    }
}

fn semantic_tokens() -> SemanticTokensOptions {
    SemanticTokensOptions {
        legend: SemanticTokensLegend {
            token_types: TOKEN_KINDS.into_iter().map(SemanticTokenType::new).collect(),
            token_modifiers: TOKEN_MODIFIERS.into_iter().map(SemanticTokenModifier::new).collect(),
        },
        range: Some(true),
        full: Some(SemanticTokensFullOptions::Delta { delta: Some(true) }),
        work_done_progress_options: WorkDoneProgressOptions::default(),
    }
}
