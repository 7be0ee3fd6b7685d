/* The man page and the completion of shells, made of the tables that --help is made of. */
#include <argp.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "core/provenance.h"
#include "experiment/spec.h"
#include "verdict/claims.h"

static const struct argp_option no_options[] = {{0}};

static const struct argp_option *options_of(const struct command *command)
{
    return command->argp->options != NULL ? command->argp->options : no_options;
}

static bool has_letter(const struct argp_option *option)
{
    return option->key > 0 && option->key < 128 && isalnum(option->key);
}

static error_t parse_nothing(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG)
        argp_error(state, "no arguments, please: '%s'", argument);
    return ARGP_ERR_UNKNOWN;
}

/* ---- The man page ---- */

/* Text in which nothing means anything to roff. */
static void put_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length && text[i] != '\0'; i++)
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else if ((text[i] == '.' || text[i] == '\'') && (i == 0 || text[i - 1] == '\n'))
            printf("\\&%c", text[i]);
        else
            putchar(text[i]);
}

/* Paragraphs, and lines that are indented (as they are) or begin with "- ". */
static void put_lines(const char *text)
{
    bool verbatim = false;
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
        size_t length = strcspn(line, "\n");
        bool indented = line[0] == ' ', item = strncmp(line, "- ", 2) == 0;
        if (indented != verbatim)
            puts(indented ? ".PP\n.nf" : ".fi");
        verbatim = indented;
        if (length == 0 || item)
            puts(item ? ".IP \\(bu 2" : ".PP");
        put_text(line + (item ? 2 : 0), length - (item ? 2 : 0));
        if (length > 0)
            putchar('\n');
    }
    if (verbatim)
        puts(".fi");
}

static void put_option(const struct argp_option *option)
{
    puts(".TP");
    if (has_letter(option))
        printf("\\fB\\-%c\\fR, ", option->key);
    fputs("\\fB\\-\\-", stdout);
    put_text(option->name, strlen(option->name));
    fputs("\\fR", stdout);
    if (option->arg != NULL)
        printf("=\\fI%s\\fR", option->arg);
    putchar('\n');
    put_text(option->doc, strlen(option->doc));
    putchar('\n');
}

static void put_command(const struct command *command)
{
    const struct argp *argp = command->argp;
    const char *after = strchr(argp->doc, '\v');
    printf(".SS \"%s ", command->name);
    fputs(options_of(command)->name != NULL ? "[OPTION...] " : "", stdout);
    put_text(argp->args_doc != NULL ? argp->args_doc : "", SIZE_MAX);
    puts("\"");
    put_text(argp->doc, after != NULL ? (size_t)(after - argp->doc) : SIZE_MAX);
    putchar('\n');
    for (const struct argp_option *option = options_of(command); option->name != NULL; option++)
        put_option(option);
    if (after != NULL) {
        puts(".PP");
        put_lines(after + 1);
    }
}

static const struct argp manual_argp = {
    .parser = parse_nothing,
    .doc =
        "Print the man page, which says what --help says of every command.\vExample:\n  diffrate manual | man -l -"};

static int run_manual(int argc, char **argv)
{
    struct provenance provenance;
    (void)argp_parse(&manual_argp, argc, argv, 0, NULL, NULL);
    provenance_collect(argc, argv, &provenance);
    printf(".TH DIFFRATE 1 \"\" \"diffrate %s\" \"User Commands\"\n.ad l\n", provenance.version);
    puts(".SH NAME\ndiffrate \\- verify convergence\\-rate theorems of diffusion samplers by the exact law of their "
         "output\n"
         ".SH SYNOPSIS\n.B diffrate\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] ...\n"
         ".SH DESCRIPTION\nAn experiment is a YAML file; README.md says how to write one, and `diffrate list` what "
         "may stand in it.\nIts results are a directory that every command but the first few reads.\n.PP\n.nf");
    for (size_t i = 0; command_at(i) != NULL; i++) {
        printf("  \\fB%-10s\\fR ", command_at(i)->name);
        put_text(command_at(i)->doc, SIZE_MAX);
        putchar('\n');
    }
    puts(".fi\n.SH \"EXPERIMENT FILES\"\nThe keys of an experiment's file; numbers may be written 0.25, .25, 1e-3 or "
         "1/3.");
    for (size_t i = 0; spec_key_at(i) != NULL; i++) {
        const struct spec_key *key = spec_key_at(i);
        printf(".TP\n\\fB%s\\fR%s\n", key->key, key->required ? "" : " (optional)");
        put_text(key->doc, SIZE_MAX);
        putchar('\n');
    }
    puts(".SH COMMANDS");
    for (size_t i = 0; command_at(i) != NULL; i++)
        put_command(command_at(i));
    puts(".SH \"EXIT STATUS\"\n0, or 1 on failure and if what was compared differs, 2 if the input is wrong, 3 if "
         "some cells failed, 128 + N after signal N.");
    return EXIT_OK;
}

/* ---- Completion ---- */

/* A first argument that is a result, then a claim. */
static void put_result_and_claim(void)
{
    fputs("if [ \"$before\" = explain ]; then _diffrate_files '*.h5'; else _diffrate_words '", stdout);
    for (const char *const *claim = claim_names(); *claim != NULL; claim++)
        printf("%s%s", claim != claim_names() ? " " : "", *claim);
    puts("'; fi ;;");
}

/* What completes an argument that --help calls by this name. */
static const struct {
    const char *name, *completion;
} completions[] = {
    {"FILE", "_diffrate_files '*.yaml' '*.yml' "},
    {"FILE.so", "_diffrate_files '*.so' "},
    {"DIR", "_diffrate_files "},
    {"DIR [NAME...]", "_diffrate_files "},
    {"RESULT", "_diffrate_files '*.h5' "},
    {"A B", "_diffrate_files '*.h5' "},
};

/* Words in [a|b|c] complete themselves. */
static void put_argument(const char *name)
{
    if (name != NULL && strcmp(name, "RESULT CLAIM") == 0) {
        put_result_and_claim();
        return;
    }
    if (name != NULL && name[0] == '[') {
        fputs("_diffrate_words '", stdout);
        for (const char *c = name + 1; *c != ']' && *c != '\0'; c++)
            putchar(*c == '|' ? ' ' : *c);
        fputs("' ", stdout);
    }
    for (size_t i = 0; name != NULL && i < sizeof completions / sizeof completions[0]; i++)
        if (strcmp(name, completions[i].name) == 0)
            fputs(completions[i].completion, stdout);
    puts(";;");
}

static void put_completion(const struct command *command)
{
    printf("    %s,-*) _diffrate_words '--help --usage", command->name);
    for (const struct argp_option *option = options_of(command); option->name != NULL; option++)
        printf(" --%s", option->name);
    printf("' ;;\n    %s,*) ", command->name);
    put_argument(command->argp->args_doc);
}

static void put_commands(void)
{
    for (size_t i = 0; command_at(i) != NULL; i++)
        printf(" %s", command_at(i)->name);
}

static const struct argp completion_argp = {.parser = parse_nothing,
                                            .doc = "Print what makes bash complete the words of diffrate's "
                                                   "commands.\vExample:\n  source <(diffrate completion)"};

static int run_completion(int argc, char **argv)
{
    (void)argp_parse(&completion_argp, argc, argv, 0, NULL, NULL);
    puts("# bash completion of diffrate, made by `diffrate completion`\n"
         "_diffrate_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\"); }\n"
         "_diffrate_files() { # of these patterns, and directories\n"
         "    local pattern\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    mapfile -t COMPREPLY < <(compgen -d -- \"$word\"\n"
         "        for pattern; do compgen -f -X \"!$pattern\" -- \"$word\"; done)\n"
         "}\n"
         "_diffrate() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
         "    [ \"$word\" = = ] && word=\n"
         "    [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" = 1 ]; then");
    fputs("        _diffrate_words '--help --version help", stdout);
    put_commands();
    puts("'\n        return\n    fi\n    case ${COMP_WORDS[1]},$before in");
    fputs("    help,help) _diffrate_words '", stdout);
    put_commands();
    puts("' ;;");
    for (size_t i = 0; command_at(i) != NULL; i++)
        for (const struct argp_option *option = options_of(command_at(i)); option->name != NULL; option++)
            if (option->arg != NULL) {
                printf("    %s,--%s", command_at(i)->name, option->name);
                if (has_letter(option))
                    printf(" | %s,-%c", command_at(i)->name, option->key);
                fputs(") ", stdout);
                put_argument(option->arg);
            }
    puts("    *) case ${COMP_WORDS[1]},$word in");
    for (size_t i = 0; command_at(i) != NULL; i++)
        put_completion(command_at(i));
    puts("    esac ;;\n    esac\n}\ncomplete -F _diffrate diffrate");
    return EXIT_OK;
}

const struct command command_manual = {"manual", "print the man page", &manual_argp, run_manual};
const struct command command_completion = {"completion", "print the completion of bash", &completion_argp,
                                           run_completion};
