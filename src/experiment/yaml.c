#include "experiment/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

enum {
    SHOWN = 60,           /* bytes of the author's text that a message repeats */
    LONGEST_LIST = 10000, /* readers find duplicates by comparing all pairs */
    DEEPEST = 32          /* libyaml takes time quadratic in the depth */
};

void doc_refuse(struct doc *doc, yaml_mark_t mark, const char *format, ...)
{
    char message[sizeof doc->error->text];
    if (doc->status != STATUS_OK)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    doc->status =
        fail_with(doc->error, STATUS_INVALID, "%s:%zu:%zu: %s", doc->path, mark.line + 1, mark.column + 1, message);
}

static void out_of_memory(struct doc *doc)
{
    if (doc->status == STATUS_OK)
        doc->status = fail_with(doc->error, STATUS_MEMORY, "%s:1:1: out of memory", doc->path);
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static bool is_plain(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null(const yaml_node_t *node)
{
    static const char *const spellings[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        if (is_plain(node) && strcmp(scalar(node), spellings[i]) == 0)
            return true;
    return false;
}

/* 'text', cut between two UTF-8 characters if it is long, and where its line ends. */
static const char *quote(const char *text, char out[SHOWN + 8])
{
    uint32_t code = 0;
    size_t shown = 0, step = text_character(text, &code);
    while (step > 0 && shown + step <= SHOWN && !text_is_control(code)) {
        shown += step;
        step = text_character(text + shown, &code);
    }
    (void)snprintf(out, SHOWN + 8, "'%.*s%s'", (int)shown, text, text[shown] != '\0' ? "..." : "");
    return out;
}

static const char *describe(const yaml_node_t *node, char out[SHOWN + 8])
{
    if (node->type == YAML_SEQUENCE_NODE)
        return node->data.sequence.items.start == node->data.sequence.items.top ? "an empty list" : "a list";
    if (node->type == YAML_MAPPING_NODE)
        return "a mapping";
    if (!is_plain(node))
        return node->data.scalar.length == 0 ? "an empty string" : "a quoted string";
    return is_null(node) ? "nothing" : quote(scalar(node), out);
}

void doc_expected(struct doc *doc, const yaml_node_t *node, const char *what)
{
    char found[SHOWN + 8];
    doc_refuse(doc, node->start_mark, "expected %s, found %s", what, describe(node, found));
}

void doc_duplicate(struct doc *doc, const yaml_node_t *node, const yaml_node_t *first, const char *what)
{
    char found[SHOWN + 8];
    doc_refuse(doc, node->start_mark, "duplicate %s %s, first given on line %zu, column %zu", what,
               quote(scalar(node), found), first->start_mark.line + 1, first->start_mark.column + 1);
}

/* Where a byte is: libyaml gives no mark for bytes that it cannot decode. */
static yaml_mark_t mark_of(const char *text, size_t offset)
{
    yaml_mark_t mark = {.index = offset};
    for (size_t i = 0; i < offset; i++) {
        mark.column += ((unsigned char)text[i] & 0xC0) != 0x80;
        if (text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static void refuse_syntax(struct doc *doc, const yaml_parser_t *parser, const char *text)
{
    if (parser->error == YAML_MEMORY_ERROR)
        out_of_memory(doc);
    else
        doc_refuse(doc,
                   parser->error == YAML_READER_ERROR ? mark_of(text, parser->problem_offset) : parser->problem_mark,
                   "not valid YAML: %s%s%s", parser->context != NULL ? parser->context : "",
                   parser->context != NULL ? ", " : "", parser->problem);
}

static int nesting(yaml_token_type_t type)
{
    switch (type) {
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
        return 1;
    case YAML_BLOCK_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN:
        return -1;
    default:
        return 0;
    }
}

/* A pass over the tokens, because a loaded document no longer shows aliases and tags. */
static void check_tokens(struct doc *doc, yaml_parser_t *parser, const char *text)
{
    bool end = false;
    int depth = 0;
    while (!end && doc->status == STATUS_OK) {
        yaml_token_t token;
        if (!yaml_parser_scan(parser, &token)) {
            refuse_syntax(doc, parser, text);
            return;
        }
        end = token.type == YAML_STREAM_END_TOKEN;
        if (token.type == YAML_ALIAS_TOKEN || token.type == YAML_ANCHOR_TOKEN)
            doc_refuse(doc, token.start_mark, "aliases are not supported");
        else if (token.type == YAML_TAG_TOKEN)
            doc_refuse(doc, token.start_mark, "tags are not supported");
        depth += nesting(token.type);
        if (depth > DEEPEST)
            doc_refuse(doc, token.start_mark, "found more than %d levels of nesting, expected fewer", DEEPEST);
        yaml_token_delete(&token);
    }
}

static void load(struct doc *doc, yaml_parser_t *parser, const char *text)
{
    yaml_document_t second;
    doc->loaded = yaml_parser_load(parser, &doc->document);
    if (!doc->loaded || !yaml_parser_load(parser, &second)) {
        refuse_syntax(doc, parser, text);
        return;
    }
    if (yaml_document_get_root_node(&doc->document) == NULL)
        doc_refuse(doc, (yaml_mark_t){0}, "the file is empty, expected a mapping");
    if (yaml_document_get_root_node(&second) != NULL)
        doc_refuse(doc, second.start_mark, "found a second document, expected one");
    yaml_document_delete(&second);
}

static void with_parser(struct doc *doc, const char *text, size_t length,
                        void (*use)(struct doc *, yaml_parser_t *, const char *))
{
    yaml_parser_t parser;
    if (doc->status != STATUS_OK)
        return;
    if (!yaml_parser_initialize(&parser)) {
        out_of_memory(doc);
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    use(doc, &parser, text);
    yaml_parser_delete(&parser);
}

const yaml_node_t *doc_open(struct doc *doc, const char *path, const char *text, size_t length, struct error *error)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    *doc = (struct doc){.path = path, .error = error};
    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3; /* libyaml would count it as a column, and so as indentation */
        length -= 3;
    }
    const char *nul = memchr(text, '\0', length);
    if (nul != NULL)
        doc_refuse(doc, mark_of(text, (size_t)(nul - text)), "found a NUL byte, expected text");
    with_parser(doc, text, length, check_tokens);
    with_parser(doc, text, length, load);
    return doc->status == STATUS_OK ? yaml_document_get_root_node(&doc->document) : NULL;
}

void doc_close(struct doc *doc)
{
    if (doc->loaded)
        yaml_document_delete(&doc->document);
    doc->loaded = false;
}

/* Whether `edits` insertions, deletions, replacements and swaps of neighbours turn a into b. */
static bool is_near(const char *a, const char *b, int edits)
{
    for (; *a != '\0' && *a == *b; a++)
        b++;
    if (*a == *b)
        return true;
    return edits-- > 0
           && ((*a != '\0' && is_near(a + 1, b, edits)) || (*b != '\0' && is_near(a, b + 1, edits))
               || (*a != '\0' && *b != '\0'
                   && (is_near(a + 1, b + 1, edits)
                       || (a[0] == b[1] && a[1] == b[0] && is_near(a + 2, b + 2, edits)))));
}

static void refuse_unknown(struct doc *doc, const yaml_node_t *node, struct names allowed, const char *what)
{
    char found[SHOWN + 8], list[400] = "", hint[80] = "";
    const char *name;
    int edits = 3; /* one more than a likely slip */
    for (size_t i = 0; (name = allowed.at(allowed.context, i)) != NULL; i++) {
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", name);
        while (edits > 0 && strlen(name) > 2 && is_near(scalar(node), name, edits - 1)) {
            edits--;
            (void)snprintf(hint, sizeof hint, "; did you mean '%s'?", name);
        }
    }
    doc_refuse(doc, node->start_mark, "unknown %s %s, expected one of: %s%s", what, quote(scalar(node), found), list,
               hint);
}

static bool is_one_line(const char *text, size_t length)
{
    uint32_t code = 0;
    for (size_t at = 0, step; at < length; at += step) {
        step = text_character(text + at, &code); /* 0 at '\0', too */
        if (step == 0 || text_is_control(code))
            return false;
    }
    return true;
}

const char *doc_text(struct doc *doc, const yaml_node_t *node, size_t limit, const char *what)
{
    char phrase[80];
    if (node == NULL || doc->status != STATUS_OK)
        return "";
    (void)snprintf(phrase, sizeof phrase, "%s %s", strchr("aeiou", what[0]) != NULL ? "an" : "a", what);
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 || is_null(node)) {
        doc_expected(doc, node, phrase);
        return "";
    }
    if (!is_one_line(scalar(node), node->data.scalar.length))
        doc_refuse(doc, node->start_mark, "found a control character, expected %s on one line", phrase);
    if (node->data.scalar.length > limit)
        doc_refuse(doc, node->start_mark, "found a %s of %zu bytes, expected at most %zu", what,
                   node->data.scalar.length, limit);
    return doc->status == STATUS_OK ? scalar(node) : "";
}

size_t doc_choice(struct doc *doc, const yaml_node_t *node, struct names allowed, const char *what)
{
    const char *name, *text = doc_text(doc, node, SIZE_MAX, what);
    if (*text == '\0')
        return 0;
    for (size_t i = 0; (name = allowed.at(allowed.context, i)) != NULL; i++)
        if (strcmp(name, text) == 0)
            return i;
    refuse_unknown(doc, node, allowed, what);
    return 0;
}

static bool is_map(struct doc *doc, const yaml_node_t *node)
{
    if (node == NULL || doc->status != STATUS_OK)
        return false;
    if (node->type != YAML_MAPPING_NODE)
        doc_expected(doc, node, "a mapping");
    return node->type == YAML_MAPPING_NODE;
}

void doc_keys(struct doc *doc, const yaml_node_t *map, struct names allowed)
{
    if (!is_map(doc, map))
        return;
    const yaml_node_pair_t *start = map->data.mapping.pairs.start, *end = map->data.mapping.pairs.top;
    for (const yaml_node_pair_t *pair = start; pair < end && doc->status == STATUS_OK; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&doc->document, pair->key);
        (void)doc_choice(doc, key, allowed, "key");
        for (const yaml_node_pair_t *before = start; before < pair && doc->status == STATUS_OK; before++) {
            const yaml_node_t *first = yaml_document_get_node(&doc->document, before->key);
            if (strcmp(scalar(first), scalar(key)) == 0)
                doc_duplicate(doc, key, first, "key");
        }
    }
}

const char *doc_key(struct doc *doc, const yaml_node_t *map, size_t i)
{
    if (!is_map(doc, map) || i >= (size_t)(map->data.mapping.pairs.top - map->data.mapping.pairs.start))
        return NULL;
    const yaml_node_t *key = yaml_document_get_node(&doc->document, map->data.mapping.pairs.start[i].key);
    const char *text = doc_text(doc, key, SIZE_MAX, "key");
    return doc->status == STATUS_OK ? text : NULL;
}

const yaml_node_t *doc_find(struct doc *doc, const yaml_node_t *map, const char *key, bool required)
{
    if (!is_map(doc, map))
        return NULL;
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *node = yaml_document_get_node(&doc->document, pair->key);
        if (node->type == YAML_SCALAR_NODE && strcmp(scalar(node), key) == 0)
            return yaml_document_get_node(&doc->document, pair->value);
    }
    if (required)
        doc_refuse(doc, map->start_mark, "missing key '%s'", key);
    return NULL;
}

const yaml_node_t *doc_kind(struct doc *doc, const yaml_node_t *node, const char *key)
{
    return node != NULL && node->type != YAML_MAPPING_NODE ? node : doc_find(doc, node, key, true);
}

void *doc_array(struct doc *doc, const yaml_node_t *list, size_t size, size_t *count)
{
    *count = 0;
    if (list == NULL || doc->status != STATUS_OK)
        return NULL;
    size_t length = 0;
    if (list->type == YAML_SEQUENCE_NODE)
        length = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
    if (length == 0)
        doc_expected(doc, list, "a non-empty list");
    if (length > LONGEST_LIST)
        doc_refuse(doc, list->start_mark, "found a list of %zu, expected at most %d", length, LONGEST_LIST);
    void *array = doc->status == STATUS_OK ? array_new(length, size) : NULL;
    if (array == NULL)
        out_of_memory(doc);
    *count = array != NULL ? length : 0;
    return array;
}

const yaml_node_t *doc_item(struct doc *doc, const yaml_node_t *list, size_t index)
{
    return yaml_document_get_node(&doc->document, list->data.sequence.items.start[index]);
}

/* [+-]digits[.digits][e[+-]digits], signs and one of the first two digits optional, from the beginning of a text: how
 * long, 0 if it is none. strtod would also take hex, nan, inf and blanks. */
static size_t number_length(const char *text)
{
    static const char digits[] = "0123456789";
    const char *at = text + (*text == '+' || *text == '-');
    size_t whole = strspn(at, digits), count = whole;
    at += whole;
    if (*at == '.') {
        count = strspn(++at, digits);
        at += count;
    }
    if (count > 0 && (*at == 'e' || *at == 'E')) {
        at += 1 + (at[1] == '+' || at[1] == '-');
        count = strspn(at, digits);
        at += count;
    }
    return count > 0 ? (size_t)(at - text) : 0;
}

/* NaN where the text is neither a number nor a fraction of two. */
static double real_of(const char *text)
{
    size_t length = number_length(text);
    const char *below = text + length + 1;
    if (length == 0)
        return (double)NAN;
    if (text[length] == '\0')
        return strtod(text, NULL);
    if (text[length] != '/' || *below == '+' || *below == '-' || number_length(below) == 0
        || below[number_length(below)] != '\0')
        return (double)NAN;
    return strtod(text, NULL) / strtod(below, NULL);
}

double doc_real(struct doc *doc, const yaml_node_t *node, const struct range *range)
{
    if (node == NULL || doc->status != STATUS_OK)
        return 0.0;
    errno = 0;
    double value = is_plain(node) ? real_of(scalar(node)) : (double)NAN;
    if (isinf(value) || (value == 0.0 && errno == ERANGE))
        doc_expected(doc, node, "a number that double precision can hold");
    if (!range_holds(range, value)) {
        char text[160];
        range_text(range, text, sizeof text);
        doc_expected(doc, node, text);
    }
    return doc->status == STATUS_OK ? value + 0.0 : 0.0; /* -0 is 0: equal numbers have equal texts */
}

/* The integer that a decimal number is, exactly; no sign, and no leading zero: to some YAML readers 0100 is 64. */
static bool integer_of(const char *text, uint64_t *out)
{
    char digits[400];
    size_t count = 0;
    long point = 0; /* places that it moves to the right */
    if (*text == '+' || *text == '-' || (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
        || number_length(text) == 0 || text[number_length(text)] != '\0')
        return false;
    for (int after = 0; *text != '\0' && *text != 'e' && *text != 'E' && count < sizeof digits; text++) {
        after |= *text == '.';
        point -= after && *text != '.';
        if (*text != '.')
            digits[count++] = *text;
    }
    if (*text != '\0')
        point += strtol(text + 1, NULL, 10);
    for (; count > 0 && point < 0 && digits[count - 1] == '0'; count--)
        point++;
    *out = 0;
    for (size_t i = 0; i < count && *out <= DOC_ANY; i++)
        *out = *out * 10 + (uint64_t)(digits[i] - '0');
    for (; point > 0 && *out > 0 && *out <= DOC_ANY; point--)
        *out *= 10;
    return count == 0 || point >= 0;
}

size_t doc_integer(struct doc *doc, const yaml_node_t *node, size_t least, size_t most, const char *word)
{
    char phrase[100], limit[32] = "2^53";
    uint64_t value = 0;
    if (node == NULL || doc->status != STATUS_OK)
        return 0;
    if (word != NULL && is_plain(node) && strcmp(scalar(node), word) == 0)
        return 0;
    if (is_plain(node) && integer_of(scalar(node), &value) && value >= least && value <= most)
        return (size_t)value;
    if (most < DOC_ANY)
        (void)snprintf(limit, sizeof limit, "%zu", most);
    (void)snprintf(phrase, sizeof phrase, "an integer from %zu to %s%s%s", least, limit, word != NULL ? ", or " : "",
                   word != NULL ? word : "");
    doc_expected(doc, node, phrase);
    return 0;
}
