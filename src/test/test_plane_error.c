/* Score errors in the plane: against the same on lines, and one that folds the map of a sampler without noise. */
#include <math.h>

#include "test/laws.h"
#include "test/plane_laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(plane_error);

/* An error in each coordinate of the product target, or in one, against the same on lines. */
static const struct {
    const char *shape, *sampler;
    enum error_spread spread;
    size_t T;
    double resolution;
} errors[] = {{"wave", "ddpm", SPREAD_ALL, 48, 0.35},
              {"bias", "ddpm-ancestral", SPREAD_ONE, 48, 0.35},
              {"wave", "lagrange-3", SPREAD_ONE, 96, 0.35},
              {"wave", "ddim", SPREAD_ALL, 48, 0.5},
              {"linear", "ddpm", SPREAD_ALL, 48, 0.35}};
enum { FEW_ERRORS = 3 };

static struct law relative_law(const struct law *law, const struct law *base)
{
    struct law out;
    ASSERT_OK(law_relative, law, base, &out);
    return out;
}

static struct measured tv_of(const struct law_group *groups, size_t count)
{
    struct measured tv;
    ASSERT_OK(tv_measure, groups, count, &tv);
    return tv;
}

TEST(test_score_errors, .count = taken(2) == 2 ? COUNT(errors) : FEW_ERRORS, .grows = 1)
{
    struct score_error error = make_error(errors[_i].shape, 0.05, 2.0, 0.0);
    error.spread = errors[_i].spread;
    int all = error.spread == SPREAD_ALL;
    struct factor four = eased(product), two = eased(one_coordinate);
    OWNED_SCHEDULE *schedule = make_li_cai(errors[_i].T);
    struct law_problem problem = {.sampler = sampler_find(errors[_i].sampler), .schedule = schedule};
    struct law plane[3], line[3]; /* exact scores, with the error, and one seen from the other */
    for (int i = 0; i < 2; i++) {
        problem.factor = &four;
        problem.score_error = i == 1 ? &error : NULL;
        problem.error_share = i == 1 ? 1.0 : 0.0;
        plane[i] = compute(&problem, finer() * errors[_i].resolution);
        problem.factor = &two;
        problem.error_share = i == 1 ? (all ? 0.5 : 1.0) : 0.0;
        line[i] = compute(&problem, 1.0);
    }
    plane[2] = relative_law(&plane[1], &plane[0]);
    line[2] = relative_law(&line[1], &line[0]);
    struct law_group whole = {&plane[1], 1.0}, seen = {&plane[2], 1.0};
    struct law_group parts[2] = {{&line[1], all ? 2.0 : 1.0}, {&line[0], 1.0}},
                     seen_part = {&line[2], parts[0].multiplicity};
    agree(tv_of(&whole, 1), tv_of(parts, all ? 1 : 2), 1e-4, "TV", errors[_i].shape);
    agree(tv_of(&seen, 1), tv_of(&seen_part, 1), 1e-2, "effect", errors[_i].shape);
    for (int i = 0; i < 3; i++) {
        law_free(&plane[i]);
        law_free(&line[i]);
    }
}

/* Along the diagonal of collinear modes that lie on it the error is one on a line. */
TEST(test_diagonal_error)
{
    double means[] = {-0.6, -0.6, 0.6, 0.6}, along[] = {-0.6 * M_SQRT2, 0.6 * M_SQRT2};
    struct factor factor = {2, 2, half, means, equal, NULL, NULL, NULL};
    struct target plane = plane_target(&factor), line;
    struct target_part parts[2];
    struct score_error error = make_error("wave", 0.05, 1.0, 0.0);
    error.spread = SPREAD_DIAGONAL;
    target_init(&parts[0].target, target_family_find("mixture"));
    parts[0].copies = 1;
    set_mixture(&parts[0].target, 2, half, along, equal);
    target_init(&parts[1].target, target_family_find("gaussian"));
    parts[1].copies = 0;
    *real_in(&parts[1].target, "variance") = 0.09;
    target_init(&line, target_family_find("direct-sum"));
    *parts_in(&line, "factors") = (struct target_list){2, parts};
    struct measurement a = measure(&plane, "ddpm", &error, 48, 2);
    error.spread = SPREAD_ONE;
    ck_assert_str_eq(a.method, "plane");
    struct measurement b = measure(&line, "ddpm", &error, 48, 2);
    agree(a.divergence.tv, b.divergence.tv, 2e-6, "TV", "diagonal");
}

/* A steep wave turns the map over in stripes, which paths followed back need not meet. */
TEST(test_fold_is_refused)
{
    struct score_error error = make_error("wave", 2.0, 64.0, 0.0);
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    const struct law_problem problem = {.factor = &three,
                                        .sampler = sampler_find("ddim"),
                                        .schedule = schedule,
                                        .score_error = &error,
                                        .error_share = 1.0};
    struct law law;
    ASSERT_FAILS(STATUS_NUMERIC, "folds", compute_by, law_engine_for(&problem), &problem, 1.0, &law);
}
