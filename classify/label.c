#include "classify/label.h"

#define LABEL_NAME_(name) #name,

static const char *const kind_names[KIND_COUNT] = {KINDS(LABEL_NAME_)};
static const char *const tool_names[TOOL_COUNT] = {TOOLS(LABEL_NAME_)};
static const char *const mark_names[MARK_COUNT] = {DENOMINATORS(LABEL_NAME_) NUMERATORS(LABEL_NAME_)
                                                       TOOLS(LABEL_NAME_)};

const char *kind_name(enum kind kind) { return kind_names[kind]; }
const char *tool_name(enum tool tool) { return tool_names[tool]; }
const char *mark_name(enum mark mark) { return mark_names[mark]; }
