/* How a finding came about. The code that judges writes down what it uses while it uses it, so that what is explained
 * is what decided. Running out of memory is kept in `failed` until somebody asks. */
#ifndef VERDICT_ACCOUNT_H
#define VERDICT_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "verdict/claims.h"
#include "verdict/fit.h"

/* As what a cell counts in its finding; both of the latter are possible where two samplers are compared. 0: left out.
 */
enum { CELL_USED = 1, CELL_CENSORED = 2, CELL_AT_START = 4 };

struct account_cell {
    int use;
    char where[160];    /* "d = 4, ε = 0.01" */
    char measured[120]; /* "T = 680" */
    const char *reason; /* why no fit uses it; NULL if one does */
};

/* The same as an account keeps it, with its texts as long as they are, and the window that it is of. */
struct account_entry {
    int use;
    char *where, *measured; /* one block, which begins with the former */
    const char *reason;
    size_t window;
};

/* A choice of cells. */
struct account_window {
    char of[192]; /* "T(d, ε) of ddpm" */
    const char *rule;
};

/* What a fit is of, in words. */
struct regression_words {
    char y[80], x[80];              /* y empty: there was no fit, only value and interval matter */
    const char *group;              /* a constant of its own for each group */
    const char *extreme, *smallest; /* the cells that are left out to probe */
};

/* "refuted if the interval's lower end is above 0.55" */
struct condition {
    enum outcome outcome;
    const char *word; /* for the outcome */
    const char *quantity;
    enum relation relation;
    double threshold, value;
};
enum { MOST_CONDITIONS = 5 };

/* The first condition that holds decides. */
struct judgement {
    char of[200]; /* what was judged: "exponent of T/log T in 1/ε" */
    struct exponent exponent;
    double bound;
    struct regression_words regression;
    size_t cells;
    bool superseded; /* by the judgement after it, of the same exponent in the limit */
    struct condition condition[MOST_CONDITIONS];
    size_t conditions, decided; /* decided == conditions: none holds */
    enum outcome outcome;
    const char *otherwise; /* the word for what it is where no condition holds */
};

struct account {
    struct account_window *window;
    size_t windows;
    struct account_entry *cell;
    size_t cells;
    struct judgement *judgement;
    size_t judgements;
    size_t capacity[3];
    int failed;
};

/* All of them do nothing where the account is NULL. */
void account_window(struct account *account, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void account_cell(struct account *account, const struct account_cell *cell); /* of the last window */
void account_judgement(struct account *account, const struct judgement *judgement);

/* Moves what the other one holds to the end; the other is empty then. */
void account_append(struct account *account, struct account *other);

void account_free(struct account *account); /* what it holds, not itself */

int condition_holds(const struct condition *condition);

/* Fills decided and outcome from the conditions. */
void judgement_decide(struct judgement *judgement, enum outcome otherwise);

#endif
