#include "law/plane/check.h"

#include <math.h>
#include <string.h>

/* So many times the tolerance, and the next rungs need not be tried one by one. */
#define FAR_OFF 1e4
/* Of the tolerance: a rule that would make no more may be taken. */
#define LOWER 0.3
/* Patches with less mass than this get by with rules of this rung. */
#define OUTER_MASS 1e-12
#define OUTER_RUNG 5
/* What the test points see of the error may be so many times less than its largest value. */
#define SEEN 1.5

enum { TESTS = 3 /* a direction */ };

/* What one stage does wrong on a patch, the largest errors of q: interpolation and quadrature together; of its rules,
 * in either direction; of the next smaller ones. Relative to the patch's mean, and to what is there where that is
 * less. */
struct local_error {
    double total, quadrature[2], coarser[2];
};

/* Where polynomials of this order err most, between the nodes: in the middle, where their error is largest, and near
 * the sides, where most of the mass may be. */
static void test_places(size_t order, double *out)
{
    double last = (double)(order - 1), side = order > PATCH_LEAST ? 1.5 : 0.5;
    double middle = floor(0.5 * last) + 0.5; /* not at 0, for the sake of odd functions */
    out[0] = -cos(M_PI * side / last);
    out[1] = cos(M_PI * (order > PATCH_LEAST ? middle - 1.0 : middle) / last);
    out[2] = cos(M_PI * side / last);
}

enum { POINTS = TESTS * TESTS };

/* Values at the test points of a patch. */
struct probe {
    double x[TESTS], y[TESTS], value[POINTS], exact[POINTS];
    double part[POINTS]; /* of the patch's mass, if all of it were as dense as here; at most 1 */
};

static double largest_error(const struct probe *probe, const double *value, const double *exact)
{
    double largest = 0.0;
    for (int j = 0; j < POINTS; j++)
        largest = fmax(largest, probe->part[j] * fabs(expm1(value[j] - exact[j])));
    return largest;
}

/* The same, but an error that would grow by exponentiation counts in full however little is there. */
static double growing_error(const struct probe *probe, const double *value, const double *exact)
{
    double largest = largest_error(probe, value, exact);
    for (int j = 0; j < POINTS; j++) {
        double error = fabs(expm1(value[j] - exact[j]));
        largest = error > LOOSEST ? fmax(largest, error) : largest;
    }
    return largest;
}

/* By rules of its rungs, against finer ones in either direction, whose corrections are small and add up. */
static void probe_rules(const struct plane_source *source, const struct patch *patch, struct probe *probe,
                        struct local_error *error)
{
    double other[POINTS], log_density[POINTS];
    for (int i = 0; i < 2; i++)
        for (int finer = 1; finer >= 0; finer--) {
            size_t rung[2] = {patch->rung[0], patch->rung[1]};
            rung[i] = finer ? rung[i] + FINER : rung[i] > 0 ? rung[i] - 1 : 0;
            plane_evaluate(source, patch, NULL, rung, TESTS, probe->x, TESTS, probe->y, other, log_density);
            *(finer ? &error->quadrature[i] : &error->coarser[i]) = growing_error(probe, probe->value, other);
            for (int j = 0; j < POINTS && finer; j++)
                probe->exact[j] += other[j] - probe->value[j];
        }
}

/* The largest relative errors at the test points of one patch. */
static struct local_error check_patch(const struct plane_source *source, const struct patch *patch,
                                      struct probe *probe)
{
    double made[POINTS], log_density[POINTS];
    struct local_error error = {0.0, {0.0, 0.0}, {0.0, 0.0}};
    test_places(patch->order[0], probe->x);
    test_places(patch->order[1], probe->y);
    plane_evaluate(source, patch, source->lattice, patch->rung, TESTS, probe->x, TESTS, probe->y, probe->value,
                   log_density);
    memcpy(probe->exact, probe->value, sizeof probe->exact);
    double area = 4.0 * patch->half * patch->half * source->to->level.alpha_bar;
    for (int j = 0; j < POINTS; j++)
        probe->part[j] = fmin(area * exp(log_density[j] + probe->value[j]) / patch->mass, 1.0);
    if (source->lattice != NULL) {
        plane_evaluate(source, patch, source->finer, patch->rung, TESTS, probe->x, TESTS, probe->y, probe->exact,
                       log_density);
        error.quadrature[0] = largest_error(probe, probe->value, probe->exact);
    } else if (source->transfer != NULL)
        probe_rules(source, patch, probe, &error);
    patch_evaluate(patch, source->lobattos, TESTS, probe->x, TESTS, probe->y, made);
    error.total = largest_error(probe, made, probe->exact);
    return error;
}

/* The finest rule that a patch may have: next to no mass is not worth more. */
static size_t top_rung(const struct patch *patch)
{
    return patch->mass > OUTER_MASS ? PLANE_TOP_RUNG : OUTER_RUNG;
}

/* What rungs the patch would need if the stage did not go by a lattice. */
static void track_rungs(const struct plane_source *source, struct patch *patch, const struct probe *probe,
                        double wanted)
{
    double value[POINTS], log_density[POINTS];
    size_t top = top_rung(patch);
    patch->hard = 0;
    for (int i = 0; i < 2; i++)
        patch->rung[i] = patch->rung[i] < top ? patch->rung[i] : top;
    for (int i = 0; i < 2; i++)
        for (int lower = 1; lower >= 0; lower--)
            for (;;) {
                size_t rung[2] = {patch->rung[0], patch->rung[1]};
                if (lower ? rung[i] == 0 : rung[i] >= top)
                    break;
                rung[i] -= lower ? 1 : 0;
                plane_evaluate(source, patch, NULL, rung, TESTS, probe->x, TESTS, probe->y, value, log_density);
                int good = growing_error(probe, value, probe->exact) <= LOWER * wanted;
                patch->hard |= !lower && !good && rung[i] + 1 >= PLANE_TOP_RUNG;
                if (good != lower)
                    break;
                patch->rung[i] = lower ? rung[i] : rung[i] + 1;
            }
}

/* Raises the rules that are too coarse. Nonzero if any was. */
static int raise_rungs(struct patch *patch, const struct local_error *local, double wanted)
{
    int raised = 0;
    for (int i = 0; i < 2; i++) {
        size_t top = top_rung(patch);
        if (!(local->quadrature[i] > wanted) || patch->rung[i] >= top)
            continue;
        size_t rung = patch->rung[i] + (local->quadrature[i] > FAR_OFF * wanted ? 3 : 1);
        patch->rung[i] = rung < top ? rung : top;
        raised = 1;
    }
    return raised;
}

enum status plane_check(const struct plane_source *source, struct patches *grid, struct step_error *local,
                        double *quadrature, struct error *error)
{
    struct norm_sums before = {0.0, 0.0}, itself = {0.0, 0.0}, after = {0.0, 0.0};
    bool by_rules = source->transfer != NULL && source->lattice == NULL;
    *quadrature = 0.0;
    for (size_t p = 0; p < grid->count; p++) {
        struct patch *patch = &grid->patch[p];
        struct probe probe;
        struct local_error found = check_patch(source, patch, &probe);
        double wanted = plane_allowed(source, patch);
        norm_sums_add(&before, patch->mass, found.total);
        while (by_rules && raise_rungs(patch, &found, wanted)) {
            (void)plane_fill(source, patch);
            (void)plane_judge(source, patch);
            wanted = plane_allowed(source, patch);
            found = check_patch(source, patch, &probe);
        }
        *quadrature += patch->mass * found.quadrature[0];
        norm_sums_add(&itself, patch->mass, found.total);
        if (source->lattice != NULL)
            track_rungs(source, patch, &probe, wanted);
        for (int i = 0; i < 2; i++)
            if (by_rules && patch->rung[i] > 0 && found.coarser[i] < LOWER * wanted) {
                patch->rung[i]--;
                found.total += found.coarser[i];
            }
        norm_sums_add(&after, patch->mass, found.total);
    }
    if (!isfinite(itself.l1))
        return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite in the plane", source->sampler);
    local->before = norms_beyond(norms_of(before), SEEN, PLANE_ROUNDING);
    local->itself = norms_beyond(norms_of(itself), SEEN, PLANE_ROUNDING);
    local->after = norms_beyond(norms_of(after), SEEN, PLANE_ROUNDING);
    return STATUS_OK;
}
