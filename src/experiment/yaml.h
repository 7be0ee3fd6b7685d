/* A strict view of one YAML document by typed getters.
 * Errors are sticky: the first problem is left as "FILE:LINE:COL: message" in the caller's struct error and in
 * doc->status; from then on, and for a NULL node, every getter returns its zero. A reader may thus go through a whole
 * document and look at the status once. */
#ifndef EXPERIMENT_YAML_H
#define EXPERIMENT_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "core/status.h"
#include "model/params.h"

struct doc {
    const char *path;    /* for messages; borrowed */
    struct error *error; /* may be NULL */
    enum status status;
    bool loaded;
    yaml_document_t document;
};

/* The words that a key or value may be: at(context, i), NULL past the end. */
struct names {
    const char *(*at)(const void *context, size_t index);
    const void *context;
};

/* The root node, or NULL. Aliases, anchors, tags and a second document are refused here. Ends with doc_close. */
const yaml_node_t *doc_open(struct doc *doc, const char *path, const char *text, size_t length, struct error *error);
void doc_close(struct doc *doc);

void doc_refuse(struct doc *doc, yaml_mark_t mark, const char *format, ...) __attribute__((format(printf, 3, 4)));
void doc_expected(struct doc *doc, const yaml_node_t *node, const char *what); /* "expected WHAT, found ..." */
void doc_duplicate(struct doc *doc, const yaml_node_t *node, const yaml_node_t *first, const char *what);

/* The mapping's keys must all be in `allowed`, each at most once. */
void doc_keys(struct doc *doc, const yaml_node_t *map, struct names allowed);
/* The i-th key of a mapping; NULL past the end, and where it is refused because it is no text. */
const char *doc_key(struct doc *doc, const yaml_node_t *map, size_t i);
/* The value of a key; NULL if there is none, which is an error if it is required. */
const yaml_node_t *doc_find(struct doc *doc, const yaml_node_t *map, const char *key, bool required);
/* The value of the key that says what a mapping is. A word in its place stands for a mapping with that key alone: it
 * is the value itself. */
const yaml_node_t *doc_kind(struct doc *doc, const yaml_node_t *node, const char *key);
static inline bool doc_is_word(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE;
}

/* A zeroed array, owned by the caller, with an element for each member of a non-empty list; NULL after an error. */
void *doc_array(struct doc *doc, const yaml_node_t *list, size_t size, size_t *count);
const yaml_node_t *doc_item(struct doc *doc, const yaml_node_t *list, size_t index);

/* Non-empty text of at most `limit` bytes without control characters (core/text.h); "" after an error. */
const char *doc_text(struct doc *doc, const yaml_node_t *node, size_t limit, const char *what);
/* The place among `allowed` of the word that the node is. */
size_t doc_choice(struct doc *doc, const yaml_node_t *node, struct names allowed, const char *what);
/* A decimal number, such as 2, .25 or 1e-3, or a fraction of two, such as 1/3. */
double doc_real(struct doc *doc, const yaml_node_t *node, const struct range *range);
/* From `least` to `most`, of which DOC_ANY is 2^53; 1e3 and 2.5e1 are integers too. If `word` is not NULL, that word
 * may stand in place of an integer and gives 0. */
#define DOC_ANY ((size_t)1 << 53) /* up to here a double holds every integer */
size_t doc_integer(struct doc *doc, const yaml_node_t *node, size_t least, size_t most, const char *word);

#endif
