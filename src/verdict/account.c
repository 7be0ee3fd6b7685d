#include "verdict/account.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { WINDOWS, CELLS, JUDGEMENTS };

/* Room for one more of `count` elements; NULL, with the account failed, if there is none. */
static void *grow(struct account *account, void *list, size_t count, int kind, size_t size)
{
    void *grown = array_reserve(list, &account->capacity[kind], count + 1, size);
    account->failed |= grown == NULL;
    return grown;
}

static void add_window(struct account *account, const struct account_window *window)
{
    struct account_window *grown = grow(account, account->window, account->windows, WINDOWS, sizeof *grown);
    if (grown == NULL)
        return;
    account->window = grown;
    account->window[account->windows++] = *window;
}

void account_window(struct account *account, const char *rule, const char *format, ...)
{
    struct account_window window = {.rule = rule};
    if (account == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(window.of, sizeof window.of, format, arguments);
    va_end(arguments);
    add_window(account, &window);
}

/* The entry's texts are the account's then, or freed. */
static void add_entry(struct account *account, struct account_entry entry)
{
    struct account_entry *grown = grow(account, account->cell, account->cells, CELLS, sizeof *grown);
    if (grown == NULL) {
        free(entry.where);
        return;
    }
    account->cell = grown;
    account->cell[account->cells++] = entry;
}

void account_cell(struct account *account, const struct account_cell *cell)
{
    if (account == NULL || account->windows == 0)
        return;
    const size_t before = strlen(cell->where) + 1, length = strlen(cell->measured) + 1;
    char *texts = array_new(before + length, 1);
    if (texts == NULL) {
        account->failed = 1;
        return;
    }
    memcpy(texts, cell->where, before);
    memcpy(texts + before, cell->measured, length);
    add_entry(account, (struct account_entry){cell->use, texts, texts + before, cell->reason, account->windows - 1});
}

void account_judgement(struct account *account, const struct judgement *judgement)
{
    if (account == NULL)
        return;
    struct judgement *grown = grow(account, account->judgement, account->judgements, JUDGEMENTS, sizeof *grown);
    if (grown == NULL)
        return;
    account->judgement = grown;
    account->judgement[account->judgements++] = *judgement;
}

void account_append(struct account *account, struct account *other)
{
    size_t first = account != NULL ? account->windows : 0;
    for (size_t i = 0; account != NULL && i < other->windows; i++)
        add_window(account, &other->window[i]);
    for (size_t i = 0; account != NULL && i < other->cells; i++) {
        struct account_entry entry = other->cell[i];
        entry.window += first;
        other->cell[i].where = NULL;
        add_entry(account, entry);
    }
    for (size_t i = 0; account != NULL && i < other->judgements; i++)
        account_judgement(account, &other->judgement[i]);
    if (account != NULL)
        account->failed |= other->failed;
    account_free(other);
}

void account_free(struct account *account)
{
    for (size_t i = 0; i < account->cells; i++)
        free(account->cell[i].where);
    free(account->window);
    free(account->cell);
    free(account->judgement);
    *account = (struct account){.windows = 0};
}

int condition_holds(const struct condition *condition)
{
    switch (condition->relation) {
    case ABOVE:
        return condition->value > condition->threshold;
    case BELOW:
        return condition->value < condition->threshold;
    case AT_MOST:
        return condition->value <= condition->threshold;
    case AT_LEAST:
        return condition->value >= condition->threshold;
    }
    return 0;
}

void judgement_decide(struct judgement *judgement, enum outcome otherwise)
{
    size_t i = 0;
    while (i < judgement->conditions && !condition_holds(&judgement->condition[i]))
        i++;
    judgement->decided = i;
    judgement->outcome = i < judgement->conditions ? judgement->condition[i].outcome : otherwise;
}
