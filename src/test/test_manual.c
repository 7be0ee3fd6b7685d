/* The man page and the completion of bash say what --help says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(manual, .setup = shell_setup, .teardown = shell_teardown);

/* Prints each option and example of a command's --help that the page, without its marks, lacks; then counts. */
static const char compare[] =
    "cd \"$(dirname \"$0\")\"\n"
    "\"$1\" manual >page.1\n"
    "sed 's/\\\\-/-/g; s/\\\\f[BRI]//g' page.1 >plain\n"
    "commands=$(\"$1\" --help | sed -n 's/^  \\([a-z]*\\)  *[a-z].*/\\1/p' | grep -vx diffrate)\n"
    "for command in $commands; do\n"
    "    grep -qF \".SS \\\"$command \" plain || echo \"missing: $command\"\n"
    "    \"$1\" $command --help |\n"
    "        sed -n '/^  diffrate/p; s/^  *\\(-[a-z], *\\)\\{0,1\\}\\(--[a-z][a-z-]*\\).*/\\2/p' |\n"
    "        grep -vxe --help -e --usage -e --version >wanted\n"
    "    sed -n \"/^.SS \\\"$command /,/^.S[SH] \\\"[a-zE]/p\" plain >section\n"
    "    while IFS= read -r word; do\n"
    "        grep -qFe \"$word\" section || echo \"missing in $command: $word\"\n"
    "    done <wanted\n"
    "    cat wanted >>all\n"
    "done\n"
    "grep -c -e ^-- all\n"
    "grep -c -e '^  diffrate' all\n";

TEST(man_page_says_what_help_says)
{
    write_file("compare.sh", compare);
    assert_prints("bash %/compare.sh $(realpath @)", "29\n17\n");
    ck_assert_int_eq(
        shell("sed -i 's/retry.-failed//' %/page.1 && sed 's/\\\\-/-/g' %/page.1 | grep -c -e retry-failed"), 1);
}

TEST(man_page_is_sound, .tools = 1)
{
    ck_assert_int_eq(shell("@ manual >%/page.1"), 0);
    ck_assert_int_eq(shell("grep -c '^\\.TH DIFFRATE 1 ' %/page.1"), 0);
    if (shell("command -v groff") != 0)
        SKIP_TEST("groff is not installed");
    assert_prints("groff -man -Tutf8 -ww -z %/page.1 2>&1", "");
    ck_assert_int_eq(shell("groff -man -Tascii -P-c -P-b -P-o -P-u %/page.1 | grep -c -e '^ *-n, --sample=N$'"), 0);
}

/* The last word is the one to complete. */
static const struct {
    const char *words, *expected;
} completions[] = {
    {"''",
     "--help --version check completion density diff explain help index list manual measure merge plot prune report "
     "run verdict"},
    {"me", "measure merge"},
    {"list s", "samplers schedules spreads"},
    {"list --p", "--plugin"},
    {"list --plugin ''", "a.so dir"},
    {"list --plugin =", "a.so dir"},
    {"list --plugin = d", "dir"},
    {"list -p a", "a.so"},
    {"run ''", "dir x.yaml y.yml"},
    {"run --dr", "--dry-run"},
    {"run x.yaml --output ''", "dir"},
    {"run -j ''", ""},
    {"run --shard ''", ""},
    {"verdict ''", "dir r.h5"},
    {"diff r.h5 r", "r.h5"},
    {"merge ''", "dir"},
    {"check --spec ''", "dir x.yaml y.yml"},
    {"explain ''", "dir r.h5"},
    {"explain r.h5 dim", "dim-accelerated dim-ddpm"},
    {"explain r.h5 --t", "--target"},
    {"help pl", "plot"},
    {"fly ''", ""},
};

TEST(bash_completes)
{
    char command[400];
    write_file("complete.sh",
               "cd \"$(dirname \"$0\")\"\n. ./completion\nCOMP_WORDS=(diffrate \"$@\")\nCOMP_CWORD=$#\n"
               "_diffrate\nprintf '%s\\n' \"${COMPREPLY[@]}\" | LC_ALL=C sort | xargs\n");
    ck_assert_int_eq(shell("@ completion >%/completion && cd % && mkdir dir && touch x.yaml y.yml a.so r.h5 text"),
                     0);
    ck_assert_int_eq(shell("bash -ec '. %/completion; complete -p diffrate'"), 0);
    for (size_t i = 0; i < COUNT(completions); i++) {
        (void)snprintf(command, sizeof command, "bash %%/complete.sh %s 2>&1", completions[i].words);
        ck_assert_int_eq(shell(command), 0);
        output[strcspn(output, "\n")] = '\0';
        ck_assert_msg(strcmp(output, completions[i].expected) == 0, "%s: %s", completions[i].words, output);
    }
}

/* Every word that completes `list` is one that it lists, and none is left out. */
TEST(list_completes_with_what_it_lists)
{
    assert_prints("for part in $(@ completion | sed -n \"s/.*list,.) _diffrate_words '\\\\(.*\\\\)'.*/\\\\1/p\"); do "
                  "@ list $part | head -1; done >%/listed; @ list | grep -x '[a-z][a-z]*' | cmp - %/listed && wc -l "
                  "<%/listed",
                  "11\n");
}

TEST(install_puts_both_in_place)
{
    ck_assert_msg(shell("env -u MAKEFLAGS -u MAKELEVEL make -s install DESTDIR=% PREFIX=/p 2>&1") == 0, "%s", output);
    ck_assert_int_eq(shell("%/p/bin/diffrate manual | cmp - %/p/share/man/man1/diffrate.1 && "
                           "%/p/bin/diffrate completion | cmp - %/p/share/bash-completion/completions/diffrate && "
                           "cmp README.md %/p/share/doc/diffrate/README.md && "
                           "cmp src/THEORY.md %/p/share/doc/diffrate/THEORY.md"),
                     0);
    /* the examples that --help prints, from anywhere */
    assert_prints("cd % && p/bin/diffrate measure experiments/quick.yaml --json 2>said | wc -l && "
                  "grep -q 'taking .*p/bin/../share/diffrate/experiments/quick.yaml' said",
                  "24\n");
    ck_assert_msg(shell("cd % && sed 's/^accuracies.*//; s/^max_steps.*//; s/^claims.*//' "
                        "p/share/diffrate/experiments/quick.yaml > s.yaml && "
                        "p/bin/diffrate run s.yaml -o out 2>&1 && test -s out/s/tv-steps.svg")
                      == 0,
                  "%s", output);
    for (const char *const *name = (const char *const[]){"quick", "scaling", "my-plugin", NULL}; *name != NULL;
         name++) {
        char command[100];
        (void)snprintf(command, sizeof command, "test -s %%/p/share/diffrate/experiments/%s.yaml", *name);
        ck_assert_int_eq(shell(command), 0);
    }
}
