#include "law/patches_check.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "law/norms.h"
#include "law/quadrature.h"
#include "law/resample.h"
#include "law/tuning.h"

enum { TESTS = 3 /* a direction */ };

/* The largest errors of q in a patch after one stage: of interpolation and quadrature together; of quadrature in
 * either direction. Relative to the mean of q over the patch, or to q where that is less. */
struct local_error {
    double total, quadrature[2];
    double unchanged; /* of the polynomials before the stage, likewise */
};

/* Where polynomials through so many nodes err most, between the nodes: in the middle, where their error is largest,
 * and near the sides, where most of the mass may be. */
static void test_places(size_t nodes, double *out)
{
    double last = (double)(nodes - 1), side = nodes > PATCH_LEAST ? 1.5 : 0.5;
    double middle = floor(0.5 * last) + 0.5; /* not at 0, for the sake of odd functions */
    out[0] = -cos(M_PI * side / last);
    out[1] = cos(M_PI * (nodes > PATCH_LEAST ? middle - 1.0 : middle) / last);
    out[2] = cos(M_PI * side / last);
}

enum { POINTS = TESTS * TESTS };

/* Values at the test points of a patch. */
struct probe {
    double x[TESTS], y[TESTS], value[POINTS], exact[POINTS];
    double part[POINTS]; /* q here over its mean in the patch; at most 1 */
};

/* The largest |q - q'| over q's mean in the patch, from two values of log r: part exp(larger - log r) (1 -
 * exp(-|their difference|)) with the log r that `part` is of, so that one that is far too small where q is negligible
 * counts as negligible. Infinite where a value is not a number. */
static double largest_error(const struct probe *probe, const double *value, const double *exact)
{
    double largest = 0.0;
    for (int j = 0; j < POINTS; j++) {
        double size = probe->part[j] * exp(fmax(value[j], exact[j]) - probe->value[j]),
               error = size * -expm1(-fabs(value[j] - exact[j]));
        largest = isnan(error) ? HUGE_VAL : fmax(largest, error);
    }
    return largest;
}

/* The same, but an error that would grow by exponentiation counts in full however little is there. */
static double growing_error(const struct probe *probe, const double *value, const double *exact)
{
    double largest = largest_error(probe, value, exact);
    for (int j = 0; j < POINTS; j++) {
        double error = fabs(expm1(value[j] - exact[j]));
        largest = error > PATCH_LOOSEST ? fmax(largest, error) : largest;
    }
    return largest;
}

static void evaluate_at(const struct patch_source *source, const struct patch *patch, const size_t order[2],
                        bool moved, const struct probe *probe, double *log_ratio, double *log_density)
{
    const struct patch_query query = {
        .order = {order[0], order[1]}, .moved = moved, .nx = TESTS, .ny = TESTS, .x = probe->x, .y = probe->y};
    source->evaluate(source, patch, &query, log_ratio, log_density);
}

/* By the patch's orders, against higher ones in either direction, whose corrections are small and add up. */
static void probe_rules(const struct patch_source *source, const struct patch *patch, struct probe *probe,
                        double error[2])
{
    double higher[POINTS], log_density[POINTS];
    for (int i = 0; i < 2; i++) {
        size_t order[2] = {patch->order[0], patch->order[1]};
        order[i] += CHECK_ORDERS;
        evaluate_at(source, patch, order, false, probe, higher, log_density);
        error[i] = growing_error(probe, probe->value, higher);
        for (int j = 0; j < POINTS; j++)
            probe->exact[j] += higher[j] - probe->value[j];
    }
}

/* Takes the lowest order in either direction that leaves the patch within a part of what is wanted, one after the
 * other, and returns what that adds to its error. */
static double lower_orders(const struct patch_source *source, struct patch *patch, const struct probe *probe,
                           double wanted)
{
    const size_t own[2] = {patch->order[0], patch->order[1]};
    double lower[POINTS], log_density[POINTS], added = 0.0;
    for (int i = 0; i < 2; i++) {
        double accepted = 0.0;
        while (patch->order[i] > 0) {
            size_t order[2] = {own[0], own[1]};
            order[i] = patch->order[i] - 1;
            evaluate_at(source, patch, order, false, probe, lower, log_density);
            double error = growing_error(probe, probe->value, lower);
            if (!(error < PATCH_LOWER_BELOW * wanted))
                break;
            accepted = error;
            patch->order[i]--;
        }
        added += accepted;
    }
    return added;
}

/* The largest relative errors at the test points of one patch. */
static struct local_error check_patch(const struct patch_source *source, const struct patch *patch,
                                      struct probe *probe)
{
    double made[POINTS], log_density[POINTS];
    struct local_error error = {.total = 0.0};
    test_places(patch->nodes[0], probe->x);
    test_places(patch->nodes[1], probe->y);
    evaluate_at(source, patch, patch->order, false, probe, probe->value, log_density);
    memcpy(probe->exact, probe->value, sizeof probe->exact);
    double area = 4.0 * patch->half * patch->half * source->jacobian;
    for (int j = 0; j < POINTS; j++)
        probe->part[j] = fmin(area * exp(log_density[j] + probe->value[j]) / patch->mass, 1.0);
    if (patch->by_lattice && !source->map) {
        evaluate_at(source, patch, patch->order, true, probe, probe->exact, log_density);
        error.quadrature[0] = largest_error(probe, probe->value, probe->exact);
    } else if (source->map) {
        const size_t finer[2] = {patch->order[0] + CHECK_ORDERS, patch->order[1] + CHECK_ORDERS};
        evaluate_at(source, patch, finer, false, probe, probe->exact, log_density);
    } else if (!source->start)
        probe_rules(source, patch, probe, error.quadrature);
    patch_evaluate(patch, source->lobattos, TESTS, probe->x, TESTS, probe->y, made);
    error.total = largest_error(probe, made, probe->exact);
    if (source->before != NULL) {
        double x[TESTS], y[TESTS];
        for (int i = 0; i < TESTS; i++) {
            x[i] = patch->centre[0] + patch->half * probe->x[i];
            y[i] = patch->centre[1] + patch->half * probe->y[i];
        }
        size_t nearest = patches_find(source->before, patch->anchor, patch->centre[0], patch->centre[1]);
        patches_evaluate(source->before, source->lobattos, patch->anchor, nearest, TESTS, x, TESTS, y, made,
                         source->work);
        error.unchanged = growing_error(probe, made, probe->exact);
    }
    return error;
}

/* The highest order that a patch may have. */
static size_t highest_order(const struct patch *patch)
{
    return patch->mass > PATCH_OUTER_MASS ? PATCH_HIGHEST_ORDER : PATCH_OUTER_ORDER;
}

/* Lets a patch leave the lattice for the highest orders that cost no more, if these will do: they agree with
 * the moved lattice or, where a sum over images has lost the digits of a small q, with higher orders. */
static void try_orders(const struct patch_source *source, struct patch *patch, const struct probe *probe,
                       double wanted)
{
    double value[POINTS], higher[POINTS], log_density[POINTS];
    size_t top = highest_order(patch), order = source->affordable(source, patch);
    struct patch rules = *patch;
    rules.by_lattice = false;
    rules.order[0] = rules.order[1] = order < top ? order : top;
    evaluate_at(source, &rules, rules.order, false, probe, value, log_density);
    if (!(growing_error(probe, value, probe->exact) <= PATCH_LOWER_BELOW * wanted)) {
        const size_t finer[2] = {rules.order[0] + CHECK_ORDERS, rules.order[1] + CHECK_ORDERS};
        evaluate_at(source, &rules, finer, false, probe, higher, log_density);
        if (!(growing_error(probe, value, higher) <= PATCH_LOWER_BELOW * wanted))
            return;
    }
    patch->by_lattice = false;
    patch->order[0] = patch->order[1] = rules.order[0];
}

/* Raises the orders that are too low. Nonzero if any was. */
static int raise_orders(struct patch *patch, const struct local_error *local, double wanted)
{
    int raised = 0;
    for (int i = 0; i < 2; i++) {
        size_t top = highest_order(patch);
        if (!(local->quadrature[i] > wanted) || patch->order[i] >= top)
            continue;
        size_t order = patch->order[i] + quadrature_raise(local->quadrature[i], wanted);
        patch->order[i] = order < top ? order : top;
        raised = 1;
    }
    return raised;
}

/* Of one patch: the masses of q in it, before and after orders were raised, and its errors with the orders that it
 * had, has now and leaves to the next step. */
struct checked {
    double mass_before, mass, before, itself, after, unchanged, lattice;
};

struct checking {
    const struct patch_source *source;
    struct patches *grid;
    struct checked *checked;
};

static void check_one(void *context, size_t thread, size_t p)
{
    const struct checking *checking = context;
    const struct patch_source own = patch_source_of_thread(checking->source, thread), *source = &own;
    struct patch *patch = &checking->grid->patch[p];
    struct probe probe;
    struct local_error found = check_patch(source, patch, &probe);
    double wanted = patch_allowed(source, patch);
    bool by_lattice = patch->by_lattice && !source->map, by_rules = !source->start && !source->map && !by_lattice;
    struct checked out = {.mass_before = patch->mass, .before = found.total};
    while (by_rules && raise_orders(patch, &found, wanted)) {
        (void)patch_fill(source, patch);
        (void)patch_judge(source, patch);
        wanted = patch_allowed(source, patch);
        found = check_patch(source, patch, &probe);
    }
    out.mass = patch->mass;
    out.itself = found.total;
    out.unchanged = found.unchanged;
    out.lattice = by_lattice ? found.quadrature[0] : 0.0;
    if (by_lattice)
        try_orders(source, patch, &probe, wanted);
    if (by_rules)
        found.total += lower_orders(source, patch, &probe, wanted);
    out.after = found.total;
    checking->checked[p] = out;
}

enum status patches_check(const struct patch_source *source, struct patches *grid, struct patches_found *out,
                          struct error *error)
{
    struct norm_sums before = {0.0, 0.0, 0.0}, itself = before, after = before, unchanged = before;
    double mass = 0.0;
    out->lattice = 0.0;
    struct checked *checked = array_new(grid->count, sizeof *checked);
    if (checked == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu patches", grid->count);
    struct checking checking = {source, grid, checked};
    team_for(source->team, grid->count, check_one, &checking);
    for (size_t p = 0; p < grid->count; p++) {
        const struct checked *of = &checked[p];
        double stands = (double)patch_stands_for(source, &grid->patch[p]), now = stands * of->mass;
        norm_sums_add(&before, stands * of->mass_before, of->before);
        norm_sums_add(&itself, now, of->itself);
        norm_sums_add(&after, now, of->after);
        norm_sums_add(&unchanged, now, of->unchanged);
        out->lattice += now * of->lattice;
        mass += now;
    }
    free(checked);
    if (!isfinite(itself.l1))
        return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite", source->sampler);
    if (!source->is_part)
        TRY(check_probed_mass(mass, source->sampler, error));
    out->error = (struct step_error){norms_beyond(norms_of(before), PATCH_PROBE_MISSES, PATCH_ROUNDING),
                                     norms_beyond(norms_of(itself), PATCH_PROBE_MISSES, PATCH_ROUNDING),
                                     norms_beyond(norms_of(after), PATCH_PROBE_MISSES, PATCH_ROUNDING)};
    out->unchanged = norms_beyond(norms_of(unchanged), PATCH_PROBE_MISSES, 0.0);
    return STATUS_OK;
}
