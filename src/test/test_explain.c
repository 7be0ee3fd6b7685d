/* What is explained is what decided: accounts of findings against the findings, and the real binary's words. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "results/evidence.h"
#include "verdict/account.h"

#include "test/planted.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(explain, .setup = shell_setup, .teardown = shell_teardown);

/* ---- Accounts against findings ---- */

/* The interval is what its parts make of it, to the bit. */
static void check_interval(const struct exponent *exponent)
{
    double shift = 0.0;
    if (!isnan(exponent->without_extreme))
        shift = fmax(shift, fabs(exponent->without_extreme - exponent->value));
    if (!isnan(exponent->without_smallest))
        shift = fmax(shift, fabs(exponent->without_smallest - exponent->value));
    ck_assert_double_eq(exponent->least_squares + shift, exponent->interval);
}

static void check_judgement(const struct judgement *judgement)
{
    ck_assert_uint_gt(judgement->conditions, 0);
    ck_assert_uint_le(judgement->decided, judgement->conditions);
    for (size_t i = 0; i < judgement->decided; i++)
        ck_assert_msg(!condition_holds(&judgement->condition[i]), "%s", judgement->of);
    if (judgement->decided < judgement->conditions) {
        ck_assert_msg(condition_holds(&judgement->condition[judgement->decided]), "%s", judgement->of);
        ck_assert_int_eq((int)judgement->outcome, (int)judgement->condition[judgement->decided].outcome);
    }
    if (judgement->regression.y[0] != '\0')
        check_interval(&judgement->exponent);
}

/* The power of 1/eps in T/log T from the cells that the account says were used, fitted anew. */
static void check_refit(const struct finding *finding)
{
    const struct account *account = finding->account;
    FREED struct fit_cell *cells = array_new(account->cells, sizeof *cells);
    size_t count = 0, extreme = 0;
    struct fit fit;
    for (size_t i = 0; i < account->cells; i++) {
        size_t d, T;
        double accuracy;
        const struct account_entry *cell = &account->cell[i];
        if (cell->use != CELL_USED)
            continue;
        ck_assert_int_eq(sscanf(cell->where, "d = %zu, ε = %lf", &d, &accuracy), 2);
        ck_assert_int_eq(sscanf(cell->measured, "T = %zu", &T), 1);
        size_t other = (size_t)lround(-1e4 * log(accuracy));
        cells[count++] = (struct fit_cell){log((double)d), -log(accuracy), log(log_free_cost("li-cai", T)), d, other};
        extreme = other > extreme ? other : extreme;
    }
    ck_assert_int_eq((int)fit_exponents(cells, count, extreme, &fit, NULL), (int)STATUS_OK);
    ck_assert(fit.ok);
    ck_assert_double_eq_tol(fit.x.value, finding->value, 1e-12);
    ck_assert_double_eq_tol(fit.x.interval, finding->interval, 1e-10);
}

/* What leaves a finding inconclusive, whatever was judged. */
static const char *const lacking[] = {"not measured", "not in the experiment", "no family", "in the window"};

static void check_account(const struct finding *finding)
{
    const struct account *account = finding->account;
    const char *claim = finding->claim->name;
    size_t used = 0, censored = 0, at_start = 0;
    int judged = 0, worst = 0;
    for (size_t i = 0; i < account->cells; i++) {
        const struct account_entry *cell = &account->cell[i];
        size_t first = 0; /* window of the same cells, which count once */
        ck_assert_uint_lt(cell->window, account->windows);
        while (strcmp(account->window[first].of, account->window[cell->window].of) != 0)
            first++;
        ck_assert_msg((cell->use == CELL_USED) == (cell->reason == NULL), "%s: %s", claim, cell->where);
        if (first < cell->window)
            continue;
        used += (cell->use & CELL_USED) != 0;
        censored += (cell->use & CELL_CENSORED) != 0;
        at_start += (cell->use & CELL_AT_START) != 0;
    }
    ck_assert_msg(used == finding->used && censored == finding->censored && at_start == finding->at_start,
                  "%s: %zu/%zu/%zu cells, not %zu/%zu/%zu", claim, used, censored, at_start, finding->used,
                  finding->censored, finding->at_start);
    for (size_t i = 0; i < account->judgements; i++) {
        const struct judgement *judgement = &account->judgement[i];
        check_judgement(judgement);
        judged |= strncmp(judgement->of, "limit of", 8) != 0 && judgement->exponent.value == finding->value
                  && judgement->exponent.interval == finding->interval;
        if (!judgement->superseded)
            worst = (int)judgement->outcome > worst ? (int)judgement->outcome : worst;
    }
    int from_cells = strcmp(claim, "crossover") == 0; /* its value is the largest ratio, which is not judged */
    ck_assert_msg(!finding->measured || from_cells || judged, "%s: its value is that of no judgement", claim);
    if (account->judgements == 0)
        ck_assert_msg(finding->outcome == OUTCOME_INCONCLUSIVE && finding->note[0] != '\0', "%s", claim);
    else if (worst != (int)finding->outcome) {
        int lacks = 0;
        for (size_t i = 0; i < COUNT(lacking); i++)
            lacks |= strstr(finding->note, lacking[i]) != NULL;
        ck_assert_msg(finding->outcome == OUTCOME_INCONCLUSIVE && lacks, "%s: %d, but judged %d (%s)", claim,
                      (int)finding->outcome, worst, finding->note);
    }
    int of_accuracy = strncmp(claim, "eps-", 4) == 0 && strstr(finding->note, "upper limits") == NULL
                      && account->windows > 0 && strncmp(account->window[0].of, "T(d", 3) == 0;
    if (of_accuracy && finding->measured)
        check_refit(finding);
}

void check_accounts(const struct finding *findings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int overall = strcmp(findings[i].target, "all targets") == 0;
        ck_assert_int_eq(findings[i].account == NULL, overall);
        if (!overall)
            check_account(&findings[i]);
    }
}

/* ---- The command ---- */

#define EXPERIMENT \
    "targets:\n  - {name: g, kind: gaussian, variance: 0.25}\n  - {name: h, kind: gaussian, variance: 0.5}\n" \
    "samplers: [ddpm, accelerated]\ndimensions: [1, 4]\naccuracies: [0.2, 0.1, 0.05, 0.03, 0.02, 0.001]\n" \
    "max_steps: 512\nclaims: [eps-ddpm, dim-ddpm, crossover, kl-ddpm, speedup]\n"

/* The text between the n-th `before` after `start` and `after`, for free(). */
static char *between(const char *start, const char *before, const char *after)
{
    const char *from = strstr(start, before);
    ck_assert_msg(from != NULL, "no '%s' in %.300s", before, start);
    from += strlen(before);
    const char *to = strstr(from, after);
    ck_assert_ptr_nonnull(to);
    return strndup(from, (size_t)(to - from));
}

TEST(explains_what_the_verdict_says)
{
    static const char *const claims[] = {"eps-ddpm", "dim-ddpm", "kl-ddpm", "speedup"};
    static const char *const targets[] = {"g", "h"};
    size_t shown = 0, fitted = 0;
    write_file("x.yaml", EXPERIMENT);
    ck_assert_int_eq(shell("@ run %/x.yaml -o %/out -j 2 2>&1"), 0);
    FREED char *verdict = read_file("out/x/verdict.md");
    for (size_t c = 0; c < COUNT(claims); c++)
        for (size_t t = 0; t < 2; t++) {
            char text[200];
            (void)snprintf(text, sizeof text, "| %s | %s | ", claims[c], targets[t]);
            FREED char *measured = between(verdict, text, " |");
            const char *row = strstr(verdict, text);
            (void)snprintf(text, sizeof text, "@ explain %%/out/x %s --target %s", claims[c], targets[t]);
            ck_assert_int_eq(shell(text), 0);
            (void)snprintf(text, sizeof text, "  measured: %s\n", measured);
            if (strcmp(measured, "-") == 0)
                ASSERT_OMITS(output, "  measured: ");
            else
                ck_assert_msg(strstr(output, text) != NULL, "%s %s: no %s", claims[c], targets[t], text);
            shown += strchr(measured, '-') == NULL;
            FREED char *used = between(output, "  cells: ", " used, "), *head = strdup(output);
            FREED char *censored = between(output, " used, ", " censored, "),
                       *started = between(output, " censored, ", " at");
            (void)snprintf(text, sizeof text, " | %s / %s / %s | ", used, censored, started);
            const char *cells = strstr(row, text);
            ck_assert_msg(cells != NULL && cells < strchr(row, '\n'), "%s: no %s", claims[c], text);
            if (strcmp(measured, "-") != 0)
                ck_assert_msg(strstr(head, " (least squares, 95%) + ") != NULL
                                  || strstr(head, "  in the limit: ") != NULL,
                              "%s", head);
            fitted += strstr(head, " (least squares, 95%) + ") != NULL;
        }
    ck_assert_uint_ge(shown, 6);
    ck_assert_uint_ge(fitted, 6);

    assert_exits("@ explain %/out/x/x.h5 eps-ddpm", 0, "eps-ddpm, all targets: ", ", which decides\n");
    ck_assert_ptr_nonnull(
        strstr(output, "it would be refuted if the lower end of the interval were above 1.05; it is "));
    ASSERT_SAYS(output, "d = 1, ε = 0.2 ", " ε above 0.1\n", " T > 512  more than max_steps\n");
    assert_exits("@ explain %/out/x crossover -t h", 0, "the number of cells that violate it were above 0; it is 0");

    ck_assert_int_eq(shell("@ explain %/out/x ode-rough 2>&1"), 2);
    ck_assert_str_eq(output, "no claim 'ode-rough' in this result, expected one of: eps-ddpm, dim-ddpm, crossover, "
                             "kl-ddpm, speedup\n");
    ck_assert_int_eq(shell("@ explain %/out/x eps-ddpm --target x 2>&1"), 2);
    ck_assert_str_eq(output, "no target 'x' in this result, expected one of: g, h\n");
}

/* The law of ddpm on Gaussians: TV ~ C d^(1/2) h with a C that is the same for all variances, so that the exponents
 * in it are 0 in the limit; those at the T measured are not. */
TEST(a_parameter_is_an_axis)
{
    write_file("v.yaml", "targets: [{name: v, kind: gaussian, variance: [0.25, 0.35, 0.5]}]\nsamplers: [ddpm]\n"
                         "dimensions: [1]\nsteps: [128, 256, 512, 1024, 2048]\naccuracies: [0.1, 0.05, 0.02]\n"
                         "max_steps: 2048\nclaims:\n"
                         "- {name: tv, quantity: tv, at_most: {variance: 0}, at_least: {variance: 0}}\n"
                         "- {name: steps, quantity: steps, at_most: {target_variance: 0}}\n"
                         "- {name: wrong, quantity: steps, at_most: {variance: -0.1}, targets: v}\n");
    assert_exits("@ run %/v.yaml -o %/out -j 2 2>&1", 0, " 0 failed");
    ASSERT_MADE("out/v", "parameter.svg", "parameter.tsv");
    assert_exits("@ explain %/out/v tv", 0, "limit of the exponent of tv in variance, ddpm");
    assert_exits("@ explain %/out/v steps", 0, "steps, v-variance-0.25: supported\n");
    assert_exits("@ explain %/out/v wrong", 0, "wrong, v-variance-0.25: refuted\n");
    assert_exits("@ explain %/out/v wrong -t v-variance-0.5", 0, "wrong, v-variance-0.5: not claimed\n");
}
