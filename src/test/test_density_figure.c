/* Densities of laws in the plane, and the command that draws them. */
#include <math.h>

#include "law/plane_density.h"
#include "test/laws.h"
#include "test/shell.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(density_figure, .setup = shell_setup, .teardown = shell_teardown);

#define SPEC \
    "targets:\n  - {name: grid, kind: gmm-25, spacing: 0.5, sd: 0.1}\n" \
    "samplers: [ddpm]\ndimensions: [2]\nsteps: [32, 64]\n"
#define FORMS /* 32 steps in the plane, 64 in four dimensions */ \
    "targets:\n  - {name: grid, kind: gmm-25, spacing: 0.5, sd: 0.1}\n" \
    "samplers: [ddpm]\ndimensions: [2, 4]\nsteps: [16 d]\n"

static struct plane_density density_of(const struct target *target, const char *sampler, size_t T)
{
    struct plane_density density;
    OWNED_SCHEDULE *schedule = NULL;
    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 4.0, 8.5, T, &schedule);
    ASSERT_OK(plane_density_make, target, sampler_find(sampler), schedule, 64, 1, &density);
    return density;
}

/* Two modes in each coordinate, as a product of laws on the line and as four in the plane: two engines. */
TEST(densities_of_a_product_are_those_in_the_plane)
{
    static const double weight[] = {0.3, 0.7}, mean[] = {-0.6, 0.5}, sd[] = {0.3, 0.3};
    static const double weights[] = {0.09, 0.21, 0.21, 0.49}, sds[] = {0.3, 0.3, 0.3, 0.3},
                        means[] = {-0.6, -0.6, -0.6, 0.5, 0.5, -0.6, 0.5, 0.5};
    struct target line, plane;
    target_init(&line, target_family_find("mixture"));
    target_init(&plane, target_family_find("mixture-plane"));
    set_mixture(&line, 2, weight, mean, sd);
    set_mixture(&plane, 4, weights, means, sds);
    OWNED(plane_density) a = density_of(&line, "ddpm", 64), b = density_of(&plane, "ddpm", 64);
    double mass = 0.0, distance = 0.0, area = pow(a.side / 64.0, 2.0);
    ck_assert_double_eq_tol(a.low[0], b.low[0], 1e-14);
    for (size_t i = 0; i < 64 * 64; i++) {
        ck_assert_double_eq_tol(a.p[i], b.p[i], 1e-14);
        ck_assert_double_eq_tol(a.excess[i], b.excess[i], 1e-7);
        mass += area * a.p[i];
        distance += 0.5 * area * fabs(a.excess[i]);
    }
    ck_assert_double_eq_tol(mass, 1.0, 2e-4);
    ck_assert_double_eq_tol(a.tv.value, b.tv.value, a.tv.error + b.tv.error);
    ck_assert_double_eq_tol(distance, a.tv.value, 1e-2 * a.tv.value);
    ck_assert_double_gt(a.tv.value, 1e-3);
}

/* Full covariances: what the sampler has too much and too little is equal, and half of it all is TV. */
TEST(densities_of_ellipses_have_their_tv)
{
    static double weight[] = {0.4, 0.6}, mean[] = {-0.5, 0.3, 0.6, -0.2},
                  matrix[] = {0.2, 0.12, 0.12, 0.1, 0.1, -0.06, -0.06, 0.3};
    struct target target;
    target_init(&target, target_family_find("mixture-full"));
    *reals_in(&target, "weights") = (struct real_list){2, weight, NULL};
    *points_in(&target, "means") = (struct point_list){2, 2, mean};
    struct matrix_list *matrices =
        (struct matrix_list *)((unsigned char *)&target.params
                               + params_find(target.family->params, "covariances")->offset);
    *matrices = (struct matrix_list){2, 2, matrix};
    OWNED(plane_density) density = density_of(&target, "ddpm", 64);
    double excess = 0.0, distance = 0.0, area = pow(density.side / 64.0, 2.0);
    for (size_t i = 0; i < 64 * 64; i++) {
        excess += area * density.excess[i];
        distance += 0.5 * area * fabs(density.excess[i]);
    }
    ck_assert_double_gt(density.tv.value, 1e-3);
    ck_assert_double_eq_tol(excess, 0.0, 1e-2 * density.tv.value);
    ck_assert_double_eq_tol(distance, density.tv.value, 1e-2 * density.tv.value);
}

TEST(a_law_that_is_not_of_the_plane_is_refused)
{
    struct target target;
    struct plane_density density;
    OWNED_SCHEDULE *schedule = NULL;
    static const double weight[] = {0.5, 0.5}, sd[] = {0.5, 1.0};
    target_init(&target, target_family_find("radial"));
    set_mixture(&target, 2, weight, NULL, sd);
    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 4.0, 8.5, 64, &schedule);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "no mixture in the plane", plane_density_make, &target, sampler_find("ddpm"),
                 schedule, 16, 1, &density);
    plane_density_free(&density);
}

TEST(the_command_draws_and_the_report_shows)
{
    write_file("shapes.yaml", SPEC);
    assert_exits("@ density %/shapes.yaml -o % --steps 32 --points 16 2>&1", 0, "density-grid-ddpm-32.svg");
    ASSERT_MADE("shapes", "density-grid-ddpm-32.tsv", "density-grid-ddpm-32.svg", "density-grid-ddpm-32.png");
    ck_assert(!exists("shapes/density-grid-ddpm-64.svg"));
    assert_exits("@ run %/shapes.yaml -o % 2>&1", 0, "2 cells measured");
    FREED char *table = read_file("shapes/density-grid-ddpm-32.tsv");
    ck_assert_uint_eq(lines(table), 1 + 16 * 16);
    ASSERT_SAYS(table, "x\ty\tp\tq\tq_minus_p\n");
    FREED char *page = read_file("shapes/report.html"); /* `run` has drawn the largest T */
    ASSERT_SAYS(page, "Densities in the plane", "alt=\"density-grid-ddpm-32\"", "alt=\"density-grid-ddpm-64\"");
    write_file("forms.yaml", FORMS);
    assert_exits("@ density %/forms.yaml -o % --points 16 2>&1", 0, "density-grid-ddpm-32.svg");
    ck_assert(!exists("forms/density-grid-ddpm-64.svg"));
    assert_exits("@ density %/shapes.yaml -o % --target other 2>&1", 2, "nothing to draw");
    assert_exits("@ density %/shapes.yaml -o % --points 3 2>&1", 2, "--points: expected a number from 16");
}
