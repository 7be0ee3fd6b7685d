#include "experiment/limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "experiment/record.h"

/* Bytes in files, as measured: of the merged file without rows, and of a row in it; of a cell's file without rows,
 * and of a row in that, in which many columns are NaN. */
#define MERGED_BYTES 54e3
#define MERGED_ROW_BYTES 880.0
#define CELL_BYTES 1800.0
#define CELL_ROW_BYTES 620.0
/* Steps from 16 on, two each time that they double. */
#define FIRST_STEPS 16.0

#define NUMBER 8.0 /* bytes */
/* Chains keep each factor at two noise levels, with three numbers a component, and room for 64 points in each of up
 * to 128 components and in three arrays beside; they come in batches of at least 64, in six arrays or more. */
#define COMPONENT_BYTES (2.0 * 67.0 * NUMBER)
#define MORE_COMPONENTS_BYTES (2.0 * 3.0 * NUMBER)
#define BLOCK 128.0
#define FACTOR_BYTES (2.0 * 192.0 * NUMBER)
#define BATCH_BYTES (6.0 * 64.0 * NUMBER)

static double largest(const size_t *list, size_t count)
{
    return count > 0 ? (double)list[count - 1] : 0.0; /* lists are increasing */
}

static int is_asked(const struct spec *spec, const char *method)
{
    for (size_t i = 0; sample_method_at(i) != NULL; i++)
        if (strcmp(sample_method_at(i)->name, method) == 0)
            return (spec->methods >> i & 1u) != 0;
    return 0;
}

static double component_bytes(double components)
{
    return COMPONENT_BYTES * fmin(components, BLOCK) + MORE_COMPONENTS_BYTES * fmax(components - BLOCK, 0.0);
}

/* The least memory for a target's chains in the largest dimension: the chains that are projected, the starts of paths
 * with what every direction sees of them, a batch, the directions and the target itself. */
static double chain_memory(const struct spec *spec, const struct target *target)
{
    double n = largest(spec->chains, spec->chain_count), d = largest(spec->dimensions, spec->dimension_count);
    double directions = (double)spec->directions, numbers = d * directions;
    const struct target_content content = target_content(target, d);
    int everywhere = 0;
    for (size_t e = 0; e < spec->score_error_count; e++)
        everywhere |= spec->score_errors[e].shape != NULL && spec->score_errors[e].spread == SPREAD_ALL;
    if (is_asked(spec, "projection"))
        numbers += n * d;
    if (is_asked(spec, "weights"))
        numbers += n * (d + directions + 3.0);
    return NUMBER * (numbers + 3.0 * content.numbers) + BATCH_BYTES * d + component_bytes(content.components)
           + FACTOR_BYTES * content.groups + (everywhere ? COMPONENT_BYTES * content.marginals : 0.0);
}

static double search_cells(const struct spec *spec)
{
    double pairs = (double)spec->target_count * (double)spec->sampler_count;
    double searched = 2.0 * log2(fmax((double)spec->max_steps / FIRST_STEPS, 1.0)) + 2.0;
    double brackets = (double)spec->dimension_count * (double)spec->accuracy_count;
    return spec->accuracy_count > 0 ? pairs * (double)spec->score_error_count * (searched + 2.0 * brackets) : 0.0;
}

/* For each number of steps. */
static double cells_each(const struct spec *spec)
{
    double pairs = (double)spec->target_count * (double)spec->sampler_count;
    return pairs * (double)spec->score_error_count * (1.0 + (double)spec->chain_count);
}

static double step_rows(const struct spec *spec)
{
    double rows = 0.0;
    for (size_t i = 0; i < spec->step_count; i++)
        rows += (double)spec->step_dimensions[i].count;
    return rows * cells_each(spec);
}

/* The largest dimensions first, so that what is too much shows at once: targets times dimensions may be 10^8. */
static double count_numbers(const struct spec *spec)
{
    double numbers = 0.0;
    for (size_t i = 0; i < spec->target_count; i++) {
        double made = 1.0;
        for (size_t d = spec->dimension_count; d-- > 0 && made > 0.0 && numbers <= LIMIT_NUMBERS;) {
            made = target_content(&spec->targets[i], (double)spec->dimensions[d]).made;
            numbers += made;
        }
    }
    return numbers;
}

struct demand limits_demand(const struct spec *spec)
{
    struct demand demand = {.cells = cells_each(spec) * (double)spec->step_count + search_cells(spec),
                            .numbers = count_numbers(spec)};
    double rows = step_rows(spec) + search_cells(spec) * (double)spec->dimension_count;
    double steps =
        fmax(largest(spec->steps, spec->step_count), spec->accuracy_count > 0 ? (double)spec->max_steps : 0);
    demand.disk = MERGED_BYTES + CELL_BYTES * demand.cells + (MERGED_ROW_BYTES + CELL_ROW_BYTES) * rows;
    demand.merging = rows * (2.0 * (double)sizeof(struct record) + MERGED_ROW_BYTES);
    for (size_t i = 0; i < spec->target_count; i++) {
        double cell = 3.0 * NUMBER * steps; /* a schedule's levels */
        if (spec->chain_count > 0)
            cell += chain_memory(spec, &spec->targets[i]);
        demand.memory = fmax(demand.memory, cell);
    }
    return demand;
}

/* The list that multiplies the cells most. */
static const char *longest_list(const struct spec *spec)
{
    int searches = spec->accuracy_count > 0;
    const struct {
        const char *key;
        size_t count;
    } lists[] = {{"targets", spec->target_count},
                 {"score_errors", spec->score_error_count > 1 ? spec->score_error_count : 0},
                 {"steps", spec->step_count},
                 {"samples", spec->chain_count},
                 {"accuracies", spec->accuracy_count},
                 {"dimensions", searches ? spec->dimension_count : 0}};
    size_t longest = 0;
    for (size_t i = 1; i < sizeof lists / sizeof lists[0]; i++)
        if (lists[i].count > lists[longest].count)
            longest = i;
    return lists[longest].key;
}

static int refuse_cells(const struct spec *spec, const struct demand *demand, struct excess *out)
{
    char steps[100] = "", search[100] = "";
    if (spec->step_count > 0)
        (void)snprintf(steps, sizeof steps, "%zu steps x (1 + %zu numbers of chains)", spec->step_count,
                       spec->chain_count);
    if (spec->accuracy_count > 0)
        (void)snprintf(search, sizeof search, "%s2 x %zu dimensions x %zu accuracies",
                       spec->step_count > 0 ? " + " : "", spec->dimension_count, spec->accuracy_count);
    out->key = longest_list(spec);
    (void)snprintf(
        out->text, sizeof out->text,
        "asks for %.2g cells (%zu targets x %zu samplers x %zu score errors x (%s%s)), expected at most %g",
        demand->cells, spec->target_count, spec->sampler_count, spec->score_error_count, steps, search, LIMIT_CELLS);
    return 1;
}

int limits_exceeded(const struct spec *spec, double memory, struct excess *out)
{
    const struct demand demand = limits_demand(spec);
    double d = largest(spec->dimensions, spec->dimension_count), n = largest(spec->chains, spec->chain_count);
    if (demand.cells > LIMIT_CELLS)
        return refuse_cells(spec, &demand, out);
    out->key = "dimensions";
    if (demand.numbers > LIMIT_NUMBERS)
        return snprintf(out->text, sizeof out->text,
                        "asks for %.2g eigenvalues, means and matrix entries of spectra and random mixtures in up to "
                        "%zu dimensions, expected at most %.2g",
                        demand.numbers, (size_t)d, LIMIT_NUMBERS)
               > 0;
    if (demand.disk > LIMIT_DISK)
        return snprintf(out->text, sizeof out->text,
                        "asks for %.2g GB of results (%.2g cells x %zu dimensions), expected at most %.2g",
                        1e-9 * demand.disk, demand.cells, spec->dimension_count, 1e-9 * LIMIT_DISK)
               > 0;
    if (demand.merging > memory)
        return snprintf(out->text, sizeof out->text,
                        "asks for results (%.2g cells x %zu dimensions) that need %.2g GB to merge, expected at most "
                        "the %.2g GB of this machine",
                        demand.cells, spec->dimension_count, 1e-9 * demand.merging, 1e-9 * memory)
               > 0;
    if (demand.memory <= memory)
        return 0;
    out->key = n > d ? "samples" : "dimensions";
    return snprintf(
               out->text, sizeof out->text,
               "asks for a cell of %.2g GB or more (%zu chains in %zu dimensions), expected at most the %.2g GB of "
               "this machine",
               1e-9 * demand.memory, (size_t)n, (size_t)d, 1e-9 * memory)
           > 0;
}

double limits_machine_memory(void)
{
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}
