#include "classify/label.h"

#define LABEL_NAME_(name) #name,

static const char *const kind_names[KIND_COUNT] = {KINDS(LABEL_NAME_)};
static const char *const tool_names[TOOL_COUNT] = {TOOLS(LABEL_NAME_)};
static const char *const mark_names[MARK_COUNT] = {DENOMINATORS(LABEL_NAME_) NUMERATORS(LABEL_NAME_)
                                                       TOOLS(LABEL_NAME_)};
static const char *const note_names[NOTE_COUNT] = {NOTES(LABEL_NAME_)};
static const char *const evidence_names[EVIDENCE_COUNT] = {
    [EVIDENCE_none] = "none",
    [EVIDENCE_port] = "port",
    [EVIDENCE_bot] = "bot",
    [EVIDENCE_payload] = "payload",
};

const char *kind_name(enum kind kind) { return kind_names[kind]; }
const char *tool_name(enum tool tool) { return tool_names[tool]; }
const char *mark_name(enum mark mark) { return mark_names[mark]; }
const char *note_name(enum note note) { return note_names[note]; }
const char *evidence_name(enum evidence evidence) { return evidence_names[evidence]; }
