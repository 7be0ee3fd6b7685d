#include "core/text.h"

#include <stdbool.h>
#include <math.h>
#include <string.h>

bool text_is_name(const char *text)
{
    return *text != '\0' && strchr("._-", *text) == NULL && text[strspn(text, NAME_CHARACTERS)] == '\0';
}

size_t text_character(const char *text, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least; /* a smaller one has a shorter spelling */
    } kinds[] = {{0x80, 0x00, 0x01}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    unsigned char first = (unsigned char)*text;
    for (size_t more = 0; more < 4; more++) {
        if ((first & kinds[more].mask) != kinds[more].lead)
            continue;
        uint32_t value = first & (unsigned char)~kinds[more].mask;
        for (size_t i = 1; i <= more; i++) {
            unsigned char next = (unsigned char)text[i];
            if ((next & 0xC0) != 0x80)
                return 0;
            value = value << 6 | (next & 0x3Fu);
        }
        if (value < kinds[more].least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
            return 0;
        *code = value;
        return more + 1;
    }
    return 0;
}

bool text_is_control(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x00, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

void text_tame(char *text, const char *allowed)
{
    while (*text != '\0') {
        uint32_t code = 0;
        size_t length = text_character(text, &code);
        if (length == 0 || (text_is_control(code) && strchr(allowed, *text) == NULL))
            memset(text, '?', length > 0 ? length : 1);
        text += length > 0 ? length : 1;
    }
}

/* Writes each character, or what `escape` has for one of ASCII. */
static void put(FILE *file, const char *text, const char *allowed_controls, const char *(*escape)(char c))
{
    while (*text != '\0') {
        uint32_t code = 0;
        size_t length = text_character(text, &code);
        bool ascii = length == 1;
        const char *escaped = ascii ? escape(*text) : NULL;
        if (length == 0 || (text_is_control(code) && !(ascii && strchr(allowed_controls, *text) != NULL)))
            (void)fputs("\xEF\xBF\xBD", file);
        else if (escaped != NULL)
            (void)fputs(escaped, file);
        else
            (void)fwrite(text, 1, length, file);
        text += length > 0 ? length : 1;
    }
}

static const char *escape_html(char c)
{
    return c == '<'    ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '&'  ? "&amp;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : NULL;
}

/* What opens or closes code, emphasis, links, HTML, entities, strikes, tables, headings and mathematics. */
static const char *escape_markdown(char c)
{
    static const char special[] = "\\`*_[]<>&~|#$", escaped[][3] = {"\\\\", "\\`", "\\*", "\\_", "\\[", "\\]", "\\<",
                                                                    "\\>",  "\\&", "\\~", "\\|", "\\#", "\\$"};
    const char *found = strchr(special, c);
    return found != NULL ? escaped[found - special] : NULL;
}

void text_put_html(FILE *file, const char *text)
{
    put(file, text, "\n\t", escape_html);
}

void text_put_markdown(FILE *file, const char *text)
{
    put(file, text, "", escape_markdown);
}

static const char *latex_of(uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *latex;
    } known[] = {{'\\', "\\textbackslash{}"},
                 {'{', "\\{"},
                 {'}', "\\}"},
                 {'$', "\\$"},
                 {'&', "\\&"},
                 {'#', "\\#"},
                 {'_', "\\_"},
                 {'%', "\\%"},
                 {'^', "\\textasciicircum{}"},
                 {'~', "\\textasciitilde{}"},
                 {'<', "$<$"},
                 {'>', "$>$"},
                 {'|', "$|$"},
                 {'"', "{''}"},
                 {'-', "{-}"},
                 {'`', "{`}"},
                 {'\'', "{'}"},
                 {0xB1, "$\\pm$"},
                 {0xB2, "$^2$"},
                 {0xD7, "$\\times$"},
                 {0xD5, "\\~O"},
                 {0x3B5, "$\\varepsilon$"},
                 {0x3C7, "$\\chi$"},
                 {0x3C9, "$\\omega$"},
                 {0x2016, "$\\|$"},
                 {0x2212, "$-$"},
                 {0x221A, "$\\surd$"},
                 {0x221D, "$\\propto$"},
                 {0x2264, "$\\le$"},
                 {0x2265, "$\\ge$"},
                 {0x2026, "\\dots{}"},
                 {0x2013, "--"},
                 {0x2019, "'"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == code)
            return known[i].latex;
    return NULL;
}

/* Letters that the standard encoding of LaTeX (OT1) has. */
static bool is_accented_latin(uint32_t code)
{
    return code >= 0xC0 && code <= 0xFF && code != 0xD0 && code != 0xDE && code != 0xF0 && code != 0xF7
           && code != 0xFE;
}

void text_put_latex(FILE *file, const char *text)
{
    if (text[0] == '-' && text[1] >= '0' && text[1] <= '9') {
        (void)fputs("$-$", file);
        text++;
    }
    while (*text != '\0') {
        uint32_t code = 0;
        size_t length = text_character(text, &code);
        const char *latex = length > 0 ? latex_of(code) : NULL;
        if (strncmp(text, "<=", 2) == 0 || strncmp(text, ">=", 2) == 0) {
            (void)fputs(*text == '<' ? "$\\le$" : "$\\ge$", file);
            length = 2;
        } else if (length == 0 || text_is_control(code))
            (void)fputc('?', file);
        else if (latex != NULL)
            (void)fputs(latex, file);
        else if (code < 0x80 || is_accented_latin(code))
            (void)fwrite(text, 1, length, file);
        else
            fprintf(file, "(U+%04X)", (unsigned)code);
        text += length > 0 ? length : 1;
    }
}

void text_measured(double value, double radius, char text[TEXT_MEASURED_SIZE])
{
    enum { MOST_DECIMALS = 9 };
    double size = fabs(value), decimals = MOST_DECIMALS;
    if (radius > 0.0 && size > 0.0 && isfinite(size))
        decimals = fmin(floor(log10(size)) - floor(log10(radius)), MOST_DECIMALS);
    if (isnan(value))
        (void)snprintf(text, TEXT_MEASURED_SIZE, "-");
    else if (isinf(value))
        (void)snprintf(text, TEXT_MEASURED_SIZE, isinf(radius) ? "> 1.8e+308" : "inf");
    else if (!(size > 0.0) || decimals < 0.0)
        (void)snprintf(text, TEXT_MEASURED_SIZE, "0");
    else
        (void)snprintf(text, TEXT_MEASURED_SIZE, "%.*e", (int)decimals, value);
}
