#include "core/terminal.h"

#include "core/config.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

unsigned terminal_width(void)
{
    enum { WIDTH_MAX = 1000 };
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    uint64_t width;

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (!columns || config_parse_count(columns, &width) < 0 || width > WIDTH_MAX)
        return 0;
    return (unsigned)width;
}

bool terminal_has_color(const char *when)
{
    if (strcmp(when, "auto"))
        return !strcmp(when, "always");
    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

bool terminal_is_utf8(void)
{
    (void)setlocale(LC_CTYPE, "");
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}
