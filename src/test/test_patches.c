/* Patches of a quadtree: what they are beyond the root's sides, and the mass of a density that they do not resolve.
 */
#include <math.h>

#include "law/patches_fill.h"

#include "test/laws.h"
#include "test/plane_laws.h"
#include "test/suite.h"

TEST_SUITE(patches);

/* Four leaves that fill the root, whose polynomials are x + y: it stands still beyond the root's sides. */
TEST(test_beyond_the_root)
{
    const double x[] = {-5.0, -0.3, 0.7, 5.0}, inside[] = {-1.0, -0.3, 0.7, 1.0};
    double out[COUNT(x) * COUNT(x)];
    OWNED(patches) grid = {.factor = &three, .root = {1.0, {0.0, 0.0}}};
    struct lobattos lobattos;
    struct patches_work work;
    lobattos_init(&lobattos);
    for (unsigned i = 0; i < 4; i++) {
        struct patch patch = {.depth = 1, .at = {i / 2, i % 2}, .half = 0.5, .nodes = {PATCH_LEAST, PATCH_LEAST}};
        const double *node = lobatto_of(&lobattos, PATCH_LEAST)->node;
        for (int k = 0; k < 2; k++)
            patch.centre[k] = patch.at[k] > 0 ? 0.5 : -0.5;
        for (size_t j = 0; j < PATCH_LEAST * PATCH_LEAST; j++)
            patch.value[j] =
                patch.centre[0] + patch.centre[1] + 0.5 * (node[j / PATCH_LEAST] + node[j % PATCH_LEAST]);
        ASSERT_OK(patches_append, &grid, &patch);
    }
    ASSERT_OK(patches_index, &grid);
    ASSERT_OK(patches_work_new, COUNT(x), &work);
    patches_evaluate(&grid, &lobattos, 0, 0, COUNT(x), x, COUNT(x), x, out, &work);
    patches_work_free(&work);
    for (size_t i = 0; i < COUNT(out); i++)
        ck_assert_double_eq_tol(out[i], inside[i / COUNT(x)] + inside[i % COUNT(x)], 1e-14);
}

/* p = N(0, 1e-6^2 I), r = 1/2, in a patch of unit size: between the nodes, p underflows at all of them. */
static void narrow(const struct patch_source *source, const struct patch *patch, const struct patch_query *query,
                   double *log_ratio, double *log_density)
{
    (void)source;
    (void)patch;
    for (size_t i = 0; i < query->nx * query->ny; i++) {
        double x = query->x[i / query->ny], y = query->y[i % query->ny];
        log_ratio[i] = -M_LN2;
        log_density[i] = log(1e12 / (2.0 * M_PI)) - 0.5e12 * (x * x + y * y);
    }
}

static double whole_mass(const void *context, const struct patch *patch)
{
    (void)context;
    (void)patch;
    return 1.0;
}

TEST(test_mass_of_unresolved_density)
{
    const struct patch_domain domain = {.mass = whole_mass};
    struct lobattos lobattos;
    struct patch patch = {.half = 1.0, .nodes = {6, 4}};
    lobattos_init(&lobattos);
    const struct patch_source source = {
        .domain = &domain, .evaluate = narrow, .jacobian = 1.0, .lobattos = &lobattos};
    ck_assert_double_eq_tol(patch_fill(&source, &patch), 0.5, 1e-15);
    ck_assert_double_eq_tol(patch.mass, 0.5, 1e-15);
}
