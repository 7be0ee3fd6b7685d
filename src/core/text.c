#include "core/text.h"

#include <string.h>

int text_is_name(const char *text)
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

int text_is_control(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x00, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return 1;
    return 0;
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
        int ascii = length == 1;
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
