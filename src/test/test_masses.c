/* Masses of components from chains: against exact laws, exact samples, and with a wrong weight. */
#include <math.h>

#include "law/integrals.h"
#include "law/law.h"
#include "sample/chains.h"
#include "sample/masses.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(masses);

enum { CHAINS = 1 << 14 };

static double uneven[] = {0.2, 0.5, 0.3}, places[] = {-1.5, 0.0, 1.0}, widths[] = {0.2, 0.5, 0.3};
static double corners[] = {0.0, 1.0, 1.0, 0.0, -1.0, -1.0};
static double covariance[] = {0.3, 0.1, 0.1, 0.2, 0.1, 0.0, 0.0, 0.3, 0.05, 0.01, 0.01, 0.2};
static const struct covariances each = {3, covariance};
static const struct {
    const char *name;
    struct factor factor;
    double copies;
} cases[] = {{"line", {1, 3, uneven, places, widths, NULL, NULL, NULL}, 1.0},
             {"two lines", {1, 3, uneven, places, widths, NULL, NULL, NULL}, 2.0},
             {"radial", {2, 3, uneven, NULL, widths, NULL, NULL, NULL}, 1.0},
             {"plane", {2, 3, uneven, corners, widths, NULL, NULL, NULL}, 1.0},
             {"full", {2, 3, uneven, corners, NULL, &each, NULL, NULL}, 1.0}};
enum { OF_LAWS = 3 }; /* the first are compared with laws, which are fast there */

/* A Gaussian, and then the factor. */
static struct factor_list list_with(const struct factor *factor, double copies)
{
    static double one = 1.0, zero = 0.0, half = 0.5;
    const struct factor gaussian = {1, 1, &one, &zero, &half, NULL, NULL, NULL};
    struct factor_list list = {0};
    ASSERT_OK(factor_list_append, &list, &gaussian, 1.0);
    ASSERT_OK(factor_list_append, &list, factor, copies);
    return list;
}

static void assert_near(const char *name, size_t k, struct estimate found, double expected)
{
    ck_assert_msg(found.error > 0.0 && fabs(found.value - expected) <= 4.0 * found.error,
                  "%s, component %zu: %g +- %g, not %g", name, k + 1, found.value, found.error, expected);
}

TEST(chains_have_the_masses_of_laws, .count = OF_LAWS)
{
    const struct factor *factor = &cases[_i].factor;
    OWNED_SCHEDULE *schedule = make_li_cai(32);
    OWNED(factor_list) list = list_with(factor, cases[_i].copies);
    const struct sampler *sampler = sampler_find("ddpm");
    const struct law_problem problem = {.factor = factor, .sampler = sampler, .schedule = schedule};
    OWNED(law) law;
    ASSERT_OK(law_compute, &problem, &law);
    const struct chain_problem chains = make_chains(&list, sampler, schedule, 1, 5);
    const struct level level = schedule_level(schedule, 1);
    struct points points;
    struct masses masses;
    double moved = 0.0;
    ASSERT_OK(chains_run, &chains, CHAINS, &points);
    ASSERT_OK(masses_measure, &list, &level, &points, &masses);
    struct measured exact[3];
    ASSERT_OK(law_mass_errors, &law, factor, exact);
    for (size_t k = 0; k < 3; k++) {
        assert_near(cases[_i].name, k, masses.error[k], exact[k].value);
        assert_near(cases[_i].name, k, masses.mass[k], uneven[k] * (1.0 + exact[k].value));
        moved += 0.5 * uneven[k] * fabs(exact[k].value);
    }
    assert_near(cases[_i].name, 3, masses.tv, moved); /* the set that is in excess is plain here */
    ck_assert(moved > 3.0 * masses.tv.error && isnan(masses.mass[3].value));
    points_free(&points);
}

static void excess_of(size_t n, const double *log_ratio, double *out)
{
    for (size_t j = 0; j < n; j++)
        out[j] = expm1(log_ratio[j]);
}

/* All at once as one at a time, and sum_k w_k E_{p_k}(r - 1) = E_p (r - 1). */
TEST(masses_add_up_to_that_of_the_law, .count = 3)
{
    const struct factor *factor = &cases[(const int[]){0, 2, 3}[_i]].factor;
    OWNED_SCHEDULE *schedule = make_li_cai(32);
    const struct law_problem problem = {.factor = factor, .sampler = sampler_find("ddpm"), .schedule = schedule};
    OWNED(law) law;
    struct measured all[3];
    double whole, sum = 0.0, size = 0.0;
    ASSERT_OK(law_compute, &problem, &law);
    ASSERT_OK(law_integrate, &law, 1, excess_of, &whole, NULL);
    ASSERT_OK(law_mass_errors, &law, factor, all);
    for (size_t k = 0; k < 3; k++) {
        struct law part = law;
        double alone;
        part.component = k + 1;
        part.log_weight = log(uneven[k]);
        ASSERT_OK(law_integrate, &part, 1, excess_of, &alone, NULL);
        ck_assert_double_gt(fabs(alone), 1e-4);
        ck_assert_double_eq_tol(all[k].value, alone, 1e-13);
        sum += uneven[k] * all[k].value;
        size += uneven[k] * fabs(all[k].value);
    }
    ck_assert_double_gt(size, 10.0 * fabs(whole));
    ck_assert_double_eq_tol(sum, whole, 1e-12);
}

/* Samples of the target itself; and beside a list that gives the components other weights. */
TEST(a_wrong_weight_is_seen, .count = COUNT(cases))
{
    static double other[] = {0.25, 0.45, 0.3};
    OWNED_SCHEDULE *schedule = make_li_cai(32);
    struct factor planted = cases[_i].factor;
    planted.weight = other;
    OWNED(factor_list) list = list_with(&cases[_i].factor, cases[_i].copies);
    OWNED(factor_list) wrong = list_with(&planted, cases[_i].copies);
    const struct chain_problem chains = make_chains(&list, sampler_find("ddpm"), schedule, 1, 5);
    const struct level level = schedule_level(schedule, 1);
    struct points points;
    struct masses masses;
    ASSERT_OK(chains_draw, &chains, CHAINS, &points);
    ASSERT_OK(masses_measure, &list, &level, &points, &masses);
    for (size_t k = 0; k < 3; k++) {
        assert_near(cases[_i].name, k, masses.mass[k], uneven[k]);
        assert_near(cases[_i].name, k, masses.error[k], 0.0);
    }
    ck_assert_double_le(masses.tv.value, 4.0 * masses.tv.error);
    ASSERT_OK(masses_measure, &wrong, &level, &points, &masses);
    ck_assert_double_gt(masses.tv.value, 5.0 * masses.tv.error);
    ck_assert_double_lt(masses.tv.value, 0.05 + 4.0 * masses.tv.error); /* TV of the two targets is at most 0.05 */
    ck_assert_double_lt(masses.error[0].value, -5.0 * masses.error[0].error);
    points_free(&points);
}

/* The set of components in excess is chosen by other samples than those that measure it: of the target's own samples
 * the excess is 0 in the mean. */
TEST(exact_samples_have_no_excess)
{
    enum { RUNS = 256, SAMPLES = 256 };
    OWNED_SCHEDULE *schedule = make_li_cai(32);
    OWNED(factor_list) list = list_with(&cases[0].factor, 1.0);
    const struct level level = schedule_level(schedule, 1);
    double found[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        const struct chain_problem chains = make_chains(&list, sampler_find("ddpm"), schedule, i, 5);
        OWNED(points) points;
        struct masses masses;
        ASSERT_OK(chains_draw, &chains, SAMPLES, &points);
        ASSERT_OK(masses_measure, &list, &level, &points, &masses);
        found[i] = masses.tv.value;
    }
    const struct estimate mean = estimate_mean(RUNS, found);
    ck_assert_msg(fabs(mean.value) < 3.5 * mean.error, "%g +- %g", mean.value, mean.error);
}
