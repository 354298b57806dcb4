#include "core/completion.h"

#include "core/command.h"
#include "core/config_options.h"
#include "core/option_value.h"

#include <errno.h>
#include <string.h>

enum { SUMMARY_MAX = 96 };

/* What of an option's help fits beside its name: its first part. */
static void summary_of(const struct option *o, char to[SUMMARY_MAX])
{
    size_t len = strlen(o->help);
    for (const char *c = o->help; *c; c++)
        if ((strchr(";.", *c) && c[1] == ' ') || (c > o->help && *c == '(')) {
            len = (size_t)(c - o->help);
            break;
        }
    while (len > 0 && o->help[len - 1] == ' ')
        len--;
    if (len >= SUMMARY_MAX)
        for (len = SUMMARY_MAX - 1; len > 0 && o->help[len] != ' ';)
            len--;
    memcpy(to, o->help, len);
    to[len] = '\0';
}

/* Prints text for within single quotes of a shell, other characters of `escaped` behind backslashes. */
static void print_quoted(FILE *out, const char *text, const char *escaped, const char *quote)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\'') {
            fputs(quote, out);
            continue;
        }
        if (strchr(escaped, *c))
            putc('\\', out);
        putc(*c, out);
    }
}

/* All commands, or all man pages: parted by spaces. */
static void print_commands(FILE *out)
{
    for (unsigned i = 0; i < command_count; i++)
        fprintf(out, "%s%s", i ? " " : "", commands[i].name);
}

static void print_pages(FILE *out)
{
    fputs("yamiscope yamiscope-config", out);
    for (unsigned i = 0; i < command_count; i++)
        fprintf(out, " yamiscope-%s", commands[i].name);
}

/* --- bash --- */

static void bash_names(FILE *out, const struct command *command)
{
    const char *space = "";
    for (size_t i = 0; i < config_option_count; i++) {
        const struct option *o = &config_options[i];
        if (!(o->commands & command->bit))
            continue;
        if (o->letter) {
            fprintf(out, "%s-%c", space, o->letter);
            space = " ";
        }
        fprintf(out, "%s--%s", space, o->name);
        space = " ";
    }
}

static void bash_value(FILE *out, const struct command *command, const struct option *o)
{
    static const char *const does[] = {
        [VALUE_WORD] = "words", [VALUE_WORDS] = "list",  [VALUE_FOLDER] = "folders",
        [VALUE_FILE] = "files", [VALUE_ANY] = "nothing",
    };
    enum option_value value = option_value(o);
    if (value == VALUE_NONE)
        return;
    fprintf(out, "    %s--%s", command->name, o->name);
    if (o->letter)
        fprintf(out, "|%s-%c", command->name, o->letter);
    fprintf(out, ") _yamiscope_%s", does[value]);
    if (o->words)
        fprintf(out, " '%s'", o->words);
    fputs(" ;;\n", out);
}

static const char bash_begin[] =
    "# Completion of yamiscope for bash: made from its table of options.\n"
    "\n"
    "_yamiscope_words()\n"
    "{\n"
    "  local word\n"
    "  COMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n"
    "  for word in \"${COMPREPLY[@]}\"; do\n"
    "    [[ $word != *[:/] ]] || compopt -o nospace 2>/dev/null\n"
    "  done\n"
    "}\n"
    "\n"
    "# One word more of a list that is joined by commas.\n"
    "_yamiscope_list()\n"
    "{\n"
    "  local before=\n"
    "  [[ $cur != *,* ]] || before=${cur%,*},\n"
    "  COMPREPLY=($(compgen -P \"$before\" -W \"$1\" -- \"${cur##*,}\"))\n"
    "}\n"
    "\n"
    "_yamiscope_paths()\n"
    "{\n"
    "  local IFS=$'\\n'\n"
    "  COMPREPLY=($(compgen \"$@\" -- \"$cur\"))\n"
    "  compopt -o filenames 2>/dev/null\n"
    "}\n"
    "\n"
    "_yamiscope_folders() { _yamiscope_paths -d; }\n"
    "_yamiscope_files() { _yamiscope_paths -f; }\n"
    "_yamiscope_nothing() { COMPREPLY=(); }\n"
    "\n"
    "# Completes the value of an option; fails where it takes none.\n"
    "_yamiscope_value()\n"
    "{\n"
    "  case $1 in\n";

static const char bash_main[] =
    "_yamiscope()\n"
    "{\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
    "command=${COMP_WORDS[1]}\n"
    "  COMPREPLY=()\n"
    "  # --name=value comes as three words.\n"
    "  if [[ $cur == = ]]; then\n"
    "    cur=\n"
    "  elif [[ $prev == = ]] && (( COMP_CWORD > 2 )); then\n"
    "    prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "  fi\n"
    "  if (( COMP_CWORD == 1 )); then\n"
    "    _yamiscope_words \"$_yamiscope_commands help --help --version\"\n"
    "    return\n"
    "  fi\n"
    "  if [[ $command == help ]]; then\n"
    "    case $prev in\n"
    "      --man) _yamiscope_words \"$_yamiscope_pages\" ;;\n"
    "      --completion) _yamiscope_words 'bash zsh fish' ;;\n"
    "      help) _yamiscope_words \"$_yamiscope_commands --man --completion\" ;;\n"
    "    esac\n"
    "    return\n"
    "  fi\n"
    "  if (( COMP_CWORD > 2 )) && _yamiscope_value \"$command$prev\"; then\n"
    "    return\n"
    "  fi\n"
    "  _yamiscope_arguments \"$command\"\n"
    "}\n"
    "\n"
    "complete -F _yamiscope yamiscope\n";

static void bash_arguments(FILE *out, const struct command *command)
{
    char words[ARGUMENT_WORDS];
    argument_words(command->arguments, words);
    fprintf(out, "    %s)\n      if [[ $cur == -* ]]; then\n        _yamiscope_words '",
            command->name);
    bash_names(out, command);
    fputs("'\n", out);
    if (words[0])
        fprintf(out, "      elif (( COMP_CWORD == 2 )); then\n        _yamiscope_words '%s'\n",
                words);
    if (argument_has_files(command->arguments))
        fputs("      else\n        _yamiscope_files\n", out);
    fputs("      fi ;;\n", out);
}

static void bash_print(FILE *out)
{
    fputs(bash_begin, out);
    for (unsigned i = 0; i < command_count; i++)
        for (size_t o = 0; o < config_option_count; o++)
            if (config_options[o].commands & commands[i].bit)
                bash_value(out, &commands[i], &config_options[o]);
    fputs("    *) return 1 ;;\n  esac\n  return 0\n}\n\n"
          "_yamiscope_arguments()\n{\n  case $1 in\n",
          out);
    for (unsigned i = 0; i < command_count; i++)
        bash_arguments(out, &commands[i]);
    fputs("  esac\n}\n\n_yamiscope_commands='", out);
    print_commands(out);
    fputs("'\n_yamiscope_pages='", out);
    print_pages(out);
    fputs("'\n\n", out);
    fputs(bash_main, out);
}

/* --- zsh --- */

static void zsh_value(FILE *out, const struct option *o)
{
    enum option_value value = option_value(o);
    if (value == VALUE_NONE)
        return;
    putc(':', out);
    print_quoted(out, o->argument, ":", "'\\''");
    putc(':', out);
    switch (value) {
    case VALUE_WORD:
        fputs(" _yamiscope_words ", out);
        print_quoted(out, o->words, ":", "'\\''");
        break;
    case VALUE_WORDS:
        fprintf(out, "_sequence compadd - %s", o->words);
        break;
    case VALUE_FOLDER:
        fputs("_files -/", out);
        break;
    case VALUE_FILE:
        fputs("_files", out);
        break;
    default:
        break;
    }
}

static void zsh_option(FILE *out, const struct option *o)
{
    bool is_flag = o->type == OPTION_FLAG, is_repeated = o->type == OPTION_EACH;
    char summary[SUMMARY_MAX];
    summary_of(o, summary);

    fputs("        '", out);
    if (is_repeated)
        putc('*', out);
    else if (o->letter)
        fprintf(out, "(-%c --%s)", o->letter, o->name);
    if (o->letter) /* two spellings of one: the shell makes two of it */
        fprintf(out, "'{-%c%s,--%s%s}'", o->letter, is_flag ? "" : "+", o->name,
                is_flag ? "" : "=");
    else
        fprintf(out, "--%s%s", o->name, is_flag ? "" : "=");
    putc('[', out);
    print_quoted(out, summary, "[]:\\", "'\\''");
    putc(']', out);
    zsh_value(out, o);
    fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const struct command *command)
{
    char words[ARGUMENT_WORDS];
    argument_words(command->arguments, words);
    fprintf(out, "    (%s)\n      _arguments -s -S : \\\n", command->name);
    for (size_t i = 0; i < config_option_count; i++)
        if (config_options[i].commands & command->bit)
            zsh_option(out, &config_options[i]);
    if (words[0])
        fprintf(out, "        '1:what:(%s)' \\\n", words);
    if (argument_has_files(command->arguments))
        fprintf(out, "        '*:file:_files' && return 0\n      ;;\n");
    else
        fprintf(out, "        && return 0\n      ;;\n");
}

static void zsh_print(FILE *out)
{
    fputs("#compdef yamiscope\n"
          "# Completion of yamiscope for zsh: made from its table of options.\n\n"
          "# Words of which some only begin a value.\n"
          "_yamiscope_words()\n{\n"
          "  compadd -- ${@:#*[:/]}\n"
          "  compadd -S '' -- ${(M)@:#*[:/]}\n"
          "}\n\n"
          "_yamiscope()\n{\n"
          "  local curcontext=$curcontext state line\n"
          "  local -a commands=(\n",
          out);
    for (unsigned i = 0; i < command_count; i++) {
        fprintf(out, "    '%s:", commands[i].name);
        print_quoted(out, commands[i].summary, ":\\", "'\\''");
        fputs("'\n", out);
    }
    fputs("    'help:what a command does; --man and --completion print what is installed'\n  )\n"
          "  _arguments -C '(- *)--help[all commands]' '(- *)--version[what version this is]' \\\n"
          "    '1:command:->command' '*::argument:->argument' && return 0\n"
          "  if [[ $state == command ]]; then\n"
          "    _describe -t commands command commands\n"
          "    return\n"
          "  fi\n"
          "  case $words[1] in\n",
          out);
    for (unsigned i = 0; i < command_count; i++)
        zsh_command(out, &commands[i]);
    fputs("    (help)\n      _arguments -S : '--man[print a man page]:page:(", out);
    print_pages(out);
    fputs(")' \\\n"
          "        '--completion[print a completion script]:shell:(bash zsh fish)' \\\n"
          "        '1:command:(",
          out);
    print_commands(out);
    fputs(")' && return 0\n"
          "      ;;\n"
          "  esac\n"
          "  return 1\n}\n\n"
          "_yamiscope \"$@\"\n",
          out);
}

/* --- fish --- */

static void fish_option(FILE *out, const struct command *command, const struct option *o)
{
    char summary[SUMMARY_MAX];
    summary_of(o, summary);
    fprintf(out, "complete -c yamiscope -n '__yamiscope_is %s' -l %s", command->name, o->name);
    if (o->letter)
        fprintf(out, " -s %c", o->letter);
    switch (option_value(o)) {
    case VALUE_NONE:
        break;
    case VALUE_WORD:
        fprintf(out, " -x -a '%s'", o->words);
        break;
    case VALUE_WORDS:
        fprintf(out, " -x -a '(__fish_append , %s)'", o->words);
        break;
    case VALUE_FOLDER:
        fputs(" -x -a '(__fish_complete_directories)'", out);
        break;
    case VALUE_FILE:
        fputs(" -r -F", out);
        break;
    case VALUE_ANY:
        fputs(" -x", out);
        break;
    }
    fputs(" -d '", out);
    print_quoted(out, summary, "\\", "\\'");
    fputs("'\n", out);
}

static void fish_command(FILE *out, const struct command *command)
{
    char words[ARGUMENT_WORDS];
    argument_words(command->arguments, words);
    fprintf(out, "\ncomplete -c yamiscope -n __yamiscope_is_first -a %s -d '", command->name);
    print_quoted(out, command->summary, "\\", "\\'");
    fputs("'\n", out);
    if (words[0])
        fprintf(out, "complete -c yamiscope -n '__yamiscope_is %s 2' -a '%s'\n", command->name,
                words);
    if (argument_has_files(command->arguments))
        fprintf(out, "complete -c yamiscope -n '__yamiscope_is %s%s' -F\n", command->name,
                words[0] ? " 3" : "");
    for (size_t i = 0; i < config_option_count; i++)
        if (config_options[i].commands & command->bit)
            fish_option(out, command, &config_options[i]);
}

static void fish_print(FILE *out)
{
    fputs("# Completion of yamiscope for fish: made from its table of options.\n\n"
          "function __yamiscope_is_first\n"
          "    test (count (commandline -opc)) -eq 1\n"
          "end\n\n"
          "# __yamiscope_is COMMAND [N]: that command; its word N is being written, or with 3 one "
          "behind the second.\n"
          "function __yamiscope_is\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -ge 2; and test $words[2] = $argv[1]; or return 1\n"
          "    switch \"$argv[2]\"\n"
          "        case 2\n"
          "            test (count $words) -eq 2\n"
          "        case 3\n"
          "            test (count $words) -gt 2\n"
          "    end\n"
          "end\n\n"
          "complete -c yamiscope -f\n"
          "complete -c yamiscope -n __yamiscope_is_first -l help -d 'all commands'\n"
          "complete -c yamiscope -n __yamiscope_is_first -l version -d 'what version this is'\n"
          "complete -c yamiscope -n __yamiscope_is_first -a help -d 'what a command does'\n"
          "complete -c yamiscope -n '__yamiscope_is help' -l completion -x -a 'bash zsh fish' -d "
          "'print a completion script'\n"
          "complete -c yamiscope -n '__yamiscope_is help' -l man -x -a '",
          out);
    print_pages(out);
    fputs("' -d 'print a man page'\ncomplete -c yamiscope -n '__yamiscope_is help 2' -a '", out);
    print_commands(out);
    fputs("'\n", out);
    for (unsigned i = 0; i < command_count; i++)
        fish_command(out, &commands[i]);
}

int completion_print(FILE *out, const char *shell)
{
    static const struct {
        const char *shell;
        void (*print)(FILE *out);
    } shells[] = {{"bash", bash_print}, {"zsh", zsh_print}, {"fish", fish_print}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (!strcmp(shells[i].shell, shell)) {
            shells[i].print(out);
            return 0;
        }
    return -ENOENT;
}
