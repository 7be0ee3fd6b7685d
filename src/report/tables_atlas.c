/* Tables of the claim `atlas`: claimed against measured exponents, and what orders cost in score evaluations. */
#include <math.h>
#include <stdio.h>

#include "report/tables.h"
#include "verdict/atlas.h"
#include "verdict/exponents.h"

enum { ORDERS = 4 }; /* 1 to 4 are compared */

/* ---- Claimed against measured exponents ---- */

static const struct table_column rate_columns[] = {
    {"target", LEFT},          {"sampler", LEFT},         {"score evaluations a step", RIGHT},
    {"claimed order", RIGHT},  {"TV in h", RIGHT},        {"TV in h log T", RIGHT},
    {"claimed in 1/ε", RIGHT}, {"T/log T in 1/ε", RIGHT}, {"cells used / dropped", RIGHT},
    {"verdict", LEFT},         {"claimed by", LEFT}};

static enum status fill_rate(const struct evidence *evidence, const struct claim *claim, size_t target,
                             size_t sampler, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct manifest_sampler *of = &manifest->samplers[sampler];
    bool claims = of->claimed_order > 0.0;
    struct fit complexity = {0};
    struct atlas_rate rate;
    char words[100], verdict[104];
    TRY(atlas_rate_measure(evidence, claim, target, sampler, NULL, &rate, error));
    if (manifest->accuracy_count > 0)
        TRY(complexity_exponents(evidence, target, sampler, COST_LOG_FREE, false, NULL, &complexity, error));
    finding_verdict(&rate.finding, words, sizeof words);
    (void)snprintf(verdict, sizeof verdict, "%s%s", words, rate.finding.note[0] != '\0' ? " *" : "");
    TRY(table_cells(table, error, "%s\t%s\t%zu", manifest->targets[target].name, of->name, of->score_evaluations));
    TRY(table_cell_if(table, claims, error, "%g", of->claimed_order));
    TRY(table_exponent(table, rate.in_h.ok, rate.in_h.x, error));
    TRY(table_exponent(table, rate.in_h_log.ok, rate.in_h_log.x, error));
    TRY(table_cell_if(table, claims, error, "%.3g", 1.0 / of->claimed_order));
    TRY(table_exponent(table, complexity.ok, complexity.x, error));
    TRY(table_cells(table, error, "%zu / %zu", rate.in_h.cells, rate.dropped));
    TRY(claims ? table_verdict(table, outcome_kind(rate.finding.outcome), verdict, error)
               : table_nothing(table, error));
    return table_cell_if(table, claims, error, "%s", of->claim_source);
}

static enum status fill_rates(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct claim *claim = atlas_claim(manifest);
    if (claim == NULL)
        return STATUS_OK;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t sampler = 0; sampler < manifest->sampler_count; sampler++)
            TRY(fill_rate(evidence, claim, target, sampler, table, error));
    (void)snprintf(table->note, sizeof table->note,
                   "A claimed order p means TV = Õ(h^p), T/log T = Õ(ε^(-1/p)): a bound, so that only slower decay "
                   "refutes it. * marks what needs a word: a claim hides logarithms, so one that fails in h is "
                   "judged in h log T; a fit without enough cells; an interval across the bound. Gaussians "
                   "superconverge under some rules, whose exponent is then above the claimed order there. Dropped: T "
                   "in the window at which TV is above 0.1 or not known to a thousandth.");
    return STATUS_OK;
}

const struct section section_rates = {"Claimed against measured exponents", COLUMNS(rate_columns), fill_rates, 1};

/* ---- Crossovers ---- */

static const struct table_column frontier_columns[] = {{"target", LEFT},
                                                       {"d", RIGHT},
                                                       {"order 2 beats 1 from ε =", RIGHT},
                                                       {"3 beats 2 from ε =", RIGHT},
                                                       {"4 beats 3 from ε =", RIGHT}};

static enum status fill_frontiers(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    if (atlas_claim(manifest) == NULL || manifest->accuracy_count == 0)
        return STATUS_OK;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t d = 0; d < manifest->dimension_count; d++) {
            TRY(table_cells(table, error, "%s\t%zu", manifest->targets[target].name, manifest->dimensions[d]));
            for (int order = 2; order <= ORDERS; order++) {
                double from = atlas_frontier(evidence, target, order, order - 1, d);
                TRY(table_cell_if(table, from > 0.0, error, "%g", from));
            }
        }
    (void)snprintf(
        table->note, sizeof table->note,
        "The largest ε of the experiment from which on, down to the smallest, the best sampler of the higher claimed "
        "order needs fewer score evaluations than the best of the lower; -: at no measured ε.");
    return STATUS_OK;
}

const struct section section_frontiers = {"At which ε an order wins in score evaluations", COLUMNS(frontier_columns),
                                          fill_frontiers, 0};

static const struct table_column cost_columns[] = {{"target", LEFT},  {"d", RIGHT},      {"ε", RIGHT},
                                                   {"order 1", LEFT}, {"order 2", LEFT}, {"order 3", LEFT},
                                                   {"order 4", LEFT}};

static enum status fill_costs(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    if (atlas_claim(manifest) == NULL)
        return STATUS_OK;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t d = 0; d < manifest->dimension_count; d++)
            for (size_t e = 0; e < manifest->accuracy_count; e++) {
                TRY(table_cells(table, error, "%s\t%zu\t%g", manifest->targets[target].name, manifest->dimensions[d],
                                manifest->accuracies[e]));
                for (int order = 1; order <= ORDERS; order++) {
                    struct atlas_cost cost = atlas_cost_of(evidence, target, order, d, e);
                    if (isfinite(cost.high))
                        TRY(table_cells(table, error, "%s%.0f (%s)", cost.low < cost.high ? "≤ " : "", cost.high,
                                        manifest->samplers[cost.sampler].name));
                    else
                        TRY(table_cell_if(table, isfinite(cost.low) && cost.low > 0.0, error, "> %.0f", cost.low));
                }
            }
    if (table->cells > 0)
        (void)snprintf(table->note, sizeof table->note,
                       "Of each claimed order the sampler that needs the fewest score evaluations for TV ≤ ε; ≤: it "
                       "is met at the smallest T already, or some sampler's T is not resolved.");
    return STATUS_OK;
}

const struct section section_costs = {"Fewest score evaluations of each order", COLUMNS(cost_columns), fill_costs, 1};
