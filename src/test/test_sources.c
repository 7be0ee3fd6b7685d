/* What the sources promise about themselves: who includes whom, that the equations that they cite are there, and that
 * the map (src/README.md) names what there is. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(sources, .setup = shell_setup, .teardown = shell_teardown);

enum { NAME = 300 };

/* The whole file, by its name from the project's root, for free(). */
static char *text_of(const char *name)
{
    FILE *file = fopen(name, "r");
    ck_assert_msg(file != NULL, "%s is missing", name);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size_t length = (size_t)ftell(file);
    char *text = calloc(length + 1, 1);
    ck_assert_ptr_nonnull(text);
    rewind(file);
    ck_assert_uint_eq(fread(text, 1, length, file), length);
    (void)fclose(file);
    return text;
}

/* The lines that a command prints, for free(). */
static char *printed(const char *command)
{
    ck_assert_int_eq(shell(command), 0);
    char *text = strdup(output);
    ck_assert_ptr_nonnull(text);
    return text;
}

/* The first line of *rest, which moves on to the next; NULL at the end. */
static char *next_line(char **rest)
{
    return *rest != NULL && **rest != '\0' ? strsep(rest, "\n") : NULL;
}

#define ALL_SOURCES "find src -name '*.[ch]' -o -name '*.def'"

/* ---- Folders ---- */

enum { FOLDERS = 20 };
struct order {
    char folder[FOLDERS][64];
    size_t count;
};

/* The line `core < model < ...` of the map. */
static struct order read_order(void)
{
    struct order order = {.count = 0};
    char *map = text_of("src/README.md"), *line = strstr(map, "<!-- order -->\n");
    ck_assert_ptr_nonnull(line);
    line = strchr(line, '\n') + 1;
    *strchr(line, '\n') = '\0';
    for (char *name = strtok(line, " <"); name != NULL; name = strtok(NULL, " <")) {
        ck_assert_uint_lt(order.count, FOLDERS);
        (void)snprintf(order.folder[order.count++], sizeof order.folder[0], "%s", name);
    }
    free(map);
    return order;
}

static size_t place_of(const struct order *order, const char *folder)
{
    size_t at = 0;
    while (at < order->count && strcmp(order->folder[at], folder) != 0)
        at++;
    return at;
}

/* Counts the includes of other files in the text of one in src/`inside`. *bad is the first line with one that stands
 * later in the order, or that belongs to another folder's subfolder: such headers are for that subfolder alone. */
static size_t check_includes(const struct order *order, const char *inside, const char *text, char bad[NAME])
{
    char folder[NAME];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)strcspn(inside, "/"), inside);
    size_t count = 0, place = place_of(order, folder);
    bad[0] = '\0';
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        char included[NAME], top[NAME];
        line += *line == '\n';
        if (sscanf(line, "#include \"%299[^\"]", included) != 1 || strchr(included, '/') == NULL)
            continue;
        count++;
        *strrchr(included, '/') = '\0';
        (void)snprintf(top, sizeof top, "%.*s", (int)strcspn(included, "/"), included);
        int foreign = strchr(included, '/') != NULL && strcmp(included, inside) != 0;
        if ((foreign || place_of(order, top) > place) && bad[0] == '\0')
            (void)snprintf(bad, NAME, "%.*s", (int)strcspn(line, "\n"), line);
    }
    return count;
}

/* Headers of a subfolder are for its own files alone. */
static void check_subfolder(const char *name, const char *text)
{
    for (const char *line = text; (line = strstr(line, "#include \"")) != NULL; line++) {
        const char *path = line + strlen("#include \""), *first = strchr(path, '/');
        const char *second = first != NULL ? strchr(first + 1, '/') : NULL;
        if (second == NULL || second > path + strcspn(path, "\"\n"))
            continue;
        ck_assert_msg(strncmp(name + strlen("src/"), path, (size_t)(second + 1 - path)) == 0, "%s: %.*s", name,
                      (int)strcspn(line, "\n"), line);
    }
}

TEST(folders_depend_one_way)
{
    struct order order = read_order();
    char *files = printed(ALL_SOURCES), *rest = files, bad[NAME];
    size_t count = 0;
    for (char *name = next_line(&rest); name != NULL; name = next_line(&rest)) {
        char folder[64], inside[NAME];
        if (sscanf(name, "src/%63[^/]/", folder) != 1 || strchr(folder, '.') != NULL || strcmp(folder, "test") == 0
            || strcmp(folder, "bench") == 0)
            continue;
        (void)snprintf(inside, sizeof inside, "%.*s", (int)(strrchr(name, '/') - name - 4), name + 4);
        ck_assert_msg(place_of(&order, folder) < order.count, "src/README.md: src/%s/ has no place in the order",
                      folder);
        FREED char *text = text_of(name);
        count += check_includes(&order, inside, text, bad);
        ck_assert_msg(bad[0] == '\0', "%s: %s", name, bad);
        check_subfolder(name, text);
    }
    free(files);
    ck_assert_uint_gt(count, 200);
    ck_assert_uint_eq(check_includes(&order, "core", "#include \"core/a.h\"\n#include \"law/line/a.h\"\n", bad), 2);
    ck_assert_str_eq(bad, "#include \"law/line/a.h\"");
    (void)check_includes(&order, "law/line", "#include \"law/line/a.h\"\n#include \"law/plane/b.h\"\n", bad);
    ck_assert_str_eq(bad, "#include \"law/plane/b.h\"");
}

/* ---- Equations ---- */

/* The length of an equation's number in brackets, as (9'), or of a section's, as §6, at `text`; 0: there is none. */
static size_t citation_length(const char *text)
{
    int section = strncmp(text, "§", strlen("§")) == 0;
    size_t start = section ? strlen("§") : 1, length = start;
    if (!section && *text != '(')
        return 0;
    while (isdigit((unsigned char)text[length]))
        length++;
    if (length == start || section)
        return length == start ? 0 : length;
    length += text[length] == '\'';
    return text[length] == ')' ? length + 1 : 0;
}

/* What may stand between "theory" and a number, and between two numbers, also at the end of a line. */
static const char *skip_between(const char *text)
{
    while (*text != '\0' && (strchr(" \n*\",-", *text) != NULL || strncmp(text, "and ", 4) == 0))
        text += *text == 'a' ? 4 : 1;
    return text;
}

/* An equation is there as **(14)**, once; a section as a heading. */
static int is_there(const char *theory, const char *citation)
{
    char mark[NAME + 8];
    if (citation[0] == '(')
        (void)snprintf(mark, sizeof mark, "**%s**", citation);
    else
        (void)snprintf(mark, sizeof mark, "\n## %s. ", citation + strlen("§"));
    const char *first = strstr(theory, mark);
    return first != NULL && strstr(first + 1, mark) == NULL;
}

/* Counts the citations in a text; `missing` is the first that the theory lacks. */
static size_t check_citations(const char *text, const char *theory, char missing[NAME])
{
    size_t count = 0;
    missing[0] = '\0';
    for (const char *word = strstr(text, "theory"); word != NULL; word = strstr(word, "theory")) {
        size_t length;
        word += strlen("theory");
        for (const char *at = skip_between(word); (length = citation_length(at)) > 0;
             at = skip_between(at + length)) {
            char citation[NAME];
            (void)snprintf(citation, sizeof citation, "%.*s", (int)length, at);
            count++;
            if (missing[0] == '\0' && !is_there(theory, citation))
                memcpy(missing, citation, sizeof citation);
        }
    }
    return count;
}

TEST(cited_equations_are_there)
{
    char *theory = text_of("src/THEORY.md"), missing[NAME];
    char *files = printed(ALL_SOURCES "; echo README.md; echo src/README.md; ls experiments/*.yaml"), *rest = files;
    size_t count = 0;
    for (char *name = next_line(&rest); name != NULL; name = next_line(&rest)) {
        if (strcmp(name, "src/test/test_sources.c") == 0)
            continue;
        FREED char *text = text_of(name);
        count += check_citations(text, theory, missing);
        ck_assert_msg(missing[0] == '\0', "%s cites %s, which src/THEORY.md has not", name, missing);
    }
    free(files);
    ck_assert_uint_gt(count, 50);
    ck_assert_int_eq(shell("@ list"), 0);
    ck_assert_uint_gt(check_citations(output, theory, missing), 10);
    ck_assert_str_eq(missing, "");
    ck_assert_uint_eq(check_citations("(theory (14)-(99))", theory, missing), 2);
    ck_assert_str_eq(missing, "(99)");
    ck_assert_uint_eq(check_citations("theory (5)\n * and (9'), §4; by theory (2 of)", theory, missing), 3);
    ck_assert_str_eq(missing, "");
    ck_assert_uint_eq(check_citations("theory §14", theory, missing), 1);
    ck_assert_str_eq(missing, "§14");
    free(theory);
}

TEST(equations_are_numbered_in_order)
{
    char *theory = text_of("src/THEORY.md"), citation[NAME], *before = theory;
    for (int section = 1; section <= 13; section++) {
        (void)snprintf(citation, sizeof citation, "§%d", section);
        ck_assert_msg(is_there(theory, citation), "%s", citation);
    }
    for (int number = 1; number <= 29; number++) {
        (void)snprintf(citation, sizeof citation, "(%d)", number);
        ck_assert_msg(is_there(theory, citation), "%s", citation);
        (void)snprintf(citation, sizeof citation, "**(%d)**", number);
        char *here = strstr(theory, citation);
        ck_assert_msg(here > before, "%s stands before the one before it", citation);
        before = here;
    }
    free(theory);
}

/* ---- The map ---- */

TEST(map_has_every_folder)
{
    char *map = text_of("src/README.md"), *folders = printed("find src -mindepth 1 -type d"), *rest = folders;
    size_t count = 0;
    for (char *name = next_line(&rest); name != NULL; name = next_line(&rest)) {
        char marked[NAME];
        int depth = 0;
        for (const char *c = name; *c != '\0'; c++)
            depth += *c == '/';
        if (depth > 2) /* of data */
            continue;
        (void)snprintf(marked, sizeof marked, "`%s/`", name + strlen("src/"));
        ck_assert_msg(strstr(map, marked) != NULL, "src/README.md does not name %s", marked);
        count++;
    }
    ck_assert_uint_ge(count, 9);
    free(folders);
    free(map);
}

/* Names in `marks` that end in .c, .h or .def, wherever the file is: moving it to another folder is no fault. */
TEST(map_names_files_that_exist)
{
    FREED char *map = text_of("src/README.md"), *files = printed(ALL_SOURCES);
    size_t count = 0;
    for (char *mark = strchr(map, '`'); mark != NULL; mark = strchr(mark, '`')) {
        char base[NAME];
        size_t length = strcspn(++mark, "`");
        const char *end = mark + length, *dot = end, *slash = end;
        while (dot > mark && *dot != '.')
            dot--;
        while (slash > mark && slash[-1] != '/')
            slash--;
        int source = memchr(mark, '*', length) == NULL && memchr(mark, ' ', length) == NULL
                     && (strncmp(dot, ".c`", 3) == 0 || strncmp(dot, ".h`", 3) == 0 || strncmp(dot, ".def`", 5) == 0);
        if (source && dot > slash) {
            (void)snprintf(base, sizeof base, "/%.*s\n", (int)(end - slash), slash);
            ck_assert_msg(strstr(files, base) != NULL, "src/README.md names %.*s", (int)length, mark);
            count++;
        }
        mark = *end == '`' ? mark + length + 1 : mark + length;
    }
    ck_assert_uint_ge(count, 15);
}
