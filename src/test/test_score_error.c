/* Score errors against quadrature of their own, in long double: the size (13) of every shape, profile and spread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/score_error.h"

#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(score_error);

enum { POINTS = 16 };
#define REACH 12.0L /* standard deviations; beyond lies 1e-33 */

/* Gauss-Legendre on [-1, 1]. */
static void legendre(long double *node, long double *weight)
{
    for (int i = 0; i < POINTS; i++) {
        long double x = cosl(3.14159265358979323846L * (i + 0.75L) / (POINTS + 0.5L)), slope = 1.0L;
        for (int newton = 0; newton < 20; newton++) {
            long double before = 0.0L, p = 1.0L;
            for (int k = 0; k < POINTS; k++) {
                long double next = ((2 * k + 1) * x * p - k * before) / (k + 1);
                before = p;
                p = next;
            }
            slope = POINTS * (x * p - before) / (x * x - 1.0L);
            x -= p / slope;
        }
        node[i] = x;
        weight[i] = 2.0L / ((1.0L - x * x) * slope * slope);
    }
}

static long double piece(const struct mixture_level *mixture, const struct error_level *at, size_t k,
                         long double from, long double to)
{
    static long double node[POINTS], weight[POINTS];
    long double total = 0.0L;
    if (weight[0] == 0.0L)
        legendre(node, weight);
    for (int i = 0; i < POINTS; i++) {
        long double u = 0.5L * (from + to) + 0.5L * (to - from) * node[i];
        double x = (double)(u * mixture->sd[k]), value = 0.0, work;
        error_level_add(at, mixture, k, 1, &x, &value, &work);
        total += weight[i] * expl(-0.5L * u * u) * (long double)value * (long double)value;
    }
    return 0.5L * (to - from) * total / sqrtl(2.0L * 3.14159265358979323846L);
}

/* E e(X)^2, a component at a time in its own standard deviations, in pieces that end where the error jumps. */
static long double square_mean(const struct mixture_level *mixture, const struct error_level *at)
{
    const struct factor *factor = mixture->factor;
    long double total = 0.0L;
    if (at->shape == NULL)
        return 0.0L;
    for (size_t k = 0; k < factor->components; k++) {
        long double sd = mixture->sd[k], centre = mixture->root_alpha_bar * factor->mean[k], sum = 0.0L;
        long double length = fminl(0.5L, at->edges == 0 && at->scale > 0.0 ? 1.0L / (at->scale * sd) : 0.5L);
        for (long double from = -REACH, to; from < REACH; from = to) {
            to = fminl(from + length, REACH);
            for (size_t j = 0; j < at->edges; j++) {
                long double edge = (at->edge[j] - centre) / sd;
                if (edge > from && edge < to)
                    to = edge;
            }
            sum += piece(mixture, at, k, from, to);
        }
        total += factor->weight[k] * sum;
    }
    return total;
}

static const struct factor factors[] = {
    {1, 1, (double[]){1.0}, (double[]){0.3}, (double[]){0.5}, NULL, NULL, NULL},
    {1, 1, (double[]){1.0}, (double[]){0.0}, (double[]){0.0}, NULL, NULL, NULL},
    {1, 2, (double[]){0.5, 0.5}, (double[]){-1.0, 1.0}, (double[]){0.3, 0.3}, NULL, NULL, NULL},
    {1, 3, (double[]){0.1, 0.7, 0.2}, (double[]){0.0, 1.0, 2.5}, (double[]){0.2, 0.1, 1.5}, NULL, NULL, NULL},
    {1, 2, (double[]){0.5, 0.5}, (double[]){-1.0, 1.0}, (double[]){0.0, 0.0}, NULL, NULL, NULL},
    {1, 2, (double[]){0.75, 0.25}, (double[]){-1.0, 1.0}, (double[]){0.0, 0.0}, NULL, NULL, NULL},
    {1, 3, (double[]){0.25, 0.5, 0.25}, (double[]){-1.0, 0.0, 3.0}, (double[]){1e-12, 0.0, 1.0}, NULL, NULL, NULL},
    {1, 2, (double[]){0.5, 0.5}, (double[]){-0.2, 0.1}, (double[]){1.0, 1e-6}, NULL, NULL, NULL},
    {1, 2, (double[]){0.9, 0.1}, (double[]){0.0, 0.0}, (double[]){1.0, 1e6}, NULL, NULL, NULL},
};

static const double noises[] = {1e-24, 1e-8, 1e-3, 0.5, 0.999};

static const struct {
    double roughness, probability;
} errors[] = {{1.0, 0.01}, {1e-7, 1e-9}, {0.03, 1e-4}, {30.0, 0.3}, {400.0, 0.499}};

TEST(every_shape_has_size_one, .count = COUNT(factors))
{
    OWNED(mixture_level) mixture;
    ASSERT_OK(mixture_level_new, &factors[_i], &mixture);
    for (int n = 0; n < COUNT(noises); n++) {
        mixture_level_set(&mixture, &(struct level){1.0 - noises[n], noises[n]});
        for (size_t s = 0; error_shape_at(s) != NULL; s++)
            for (int e = 0; e < COUNT(errors) && (e == 0 || error_shape_at(s)->params != NULL); e++) {
                struct error_level at = {.shape = error_shape_at(s), .amplitude = 1.0};
                const struct score_error error =
                    make_error(at.shape->name, 0.0, errors[e].roughness, errors[e].probability);
                const struct error_argument argument = {.line = &mixture};
                at.shape->prepare(&error, &argument, &at);
                long double size = square_mean(&mixture, &at);
                ck_assert_msg(fabsl(size - 1.0L) < 1e-10L, "%s %d, factor %d, noise %g: %.15Lg", at.shape->name, e,
                              _i, noises[n], size);
            }
    }
}

static void make_factors(const struct target *target, size_t d, const struct score_error *error,
                         struct factor_list *list)
{
    ASSERT_OK(target_factors, target, d, list);
    ASSERT_OK(score_error_spread, error, d, list);
}

/* The left side of (13), squared: the average over t = 2..T of E|e_t(X_t)|^2. */
static long double whole_size(const struct score_error *error, const struct schedule *schedule,
                              const struct factor_list *list)
{
    long double total = 0.0L;
    double norm = score_error_norm(error, schedule);
    for (size_t i = 0; i < list->count; i++) {
        OWNED(mixture_level) mixture;
        ASSERT_OK(mixture_level_new, &list->group[i].factor, &mixture);
        for (size_t t = 2; t <= schedule->T; t++) {
            struct level level = schedule_level(schedule, t);
            struct error_level at;
            mixture_level_set(&mixture, &level);
            score_error_at(error, norm, list->group[i].error_share, schedule, t, &mixture, &at);
            total += list->group[i].multiplicity * square_mean(&mixture, &at);
        }
    }
    return total / (long double)(schedule->T - 1);
}

static void check_whole(const struct score_error *error, const char *kind, size_t T, const struct target *target,
                        size_t d)
{
    OWNED(factor_list) list;
    OWNED_SCHEDULE *schedule = make_schedule(kind, 2.0, 8.5, T);
    make_factors(target, d, error, &list);
    double claimed = error->size * pow((double)T, error->growth);
    long double size = whole_size(error, schedule, &list);
    ck_assert_msg(fabsl(size - claimed * claimed) < 1e-10L * size, "%s, %s, %s, %s, d = %zu: %.15Lg", kind,
                  error->shape->name, error->profile->name, error_spread_names[error->spread], d, size);
}

static struct target gaussian(double mean, double variance)
{
    struct target target;
    target_init(&target, target_family_find("gaussian"));
    *real_in(&target, "mean") = mean;
    *real_in(&target, "variance") = variance;
    return target;
}

/* Lists are borrowed from the factor. */
static struct target mixture_target(const struct factor *factor)
{
    struct target target;
    target_init(&target, target_family_find("mixture"));
    set_mixture(&target, factor->components, factor->weight, factor->mean, factor->sd);
    return target;
}

TEST(the_whole_error_has_its_size, .count = 5)
{
    const struct error_shape *shape = error_shape_at((size_t)_i);
    struct target gauss = gaussian(0.7, 0.25), bimodal = mixture_target(&factors[2]),
                  atoms = mixture_target(&factors[5]);
    for (size_t p = 0; error_profile_at(p) != NULL; p++)
        for (int spread = SPREAD_ALL; spread <= SPREAD_DIAGONAL; spread++) {
            struct score_error error = make_error(shape->name, 0.03, 4.0, 0.01);
            error.profile = error_profile_at(p);
            error.spread = (enum error_spread)spread;
            for (size_t d = 1; d <= 5; d += 4) {
                check_whole(&error, "li-cai", 40, &gauss, d);
                check_whole(&error, "li-yan", 41, &gauss, d);
                if (spread != SPREAD_DIAGONAL || d == 1 || shape == error_shape_find("bias"))
                    check_whole(&error, "li-cai", 33, &bimodal, d);
            }
            if (spread == SPREAD_ONE)
                check_whole(&error, "li-cai", 64, &atoms, 3);
        }
    struct score_error grown = make_error(shape->name, 0.1, 1.0, 0.1);
    grown.growth = 0.5;
    grown.profile = error_profile_at(0);
    check_whole(&grown, "li-cai", 49, &gauss, 2);
}

static double shares(const struct factor_list *list)
{
    double total = 0.0;
    for (size_t i = 0; i < list->count; i++)
        total += list->group[i].multiplicity * list->group[i].error_share;
    return total;
}

TEST(shares_of_a_spectrum_sum_to_one)
{
    struct target target = gaussian(0.0, 1.0);
    struct factor_list list;
    struct score_error error = {
        .shape = error_shape_find("linear"), .profile = error_profile_find("late"), .size = 0.1};
    *integer_in(&target, "spectrum") = 1;
    *real_in(&target, "exponent") = 1.0;
    for (int spread = SPREAD_ALL; spread <= SPREAD_ONE; spread++) {
        error.spread = (enum error_spread)spread;
        make_factors(&target, 1000, &error, &list);
        ck_assert_double_eq_tol(shares(&list), 1.0, 1e-12);
        factor_list_free(&list);
    }
    error.spread = SPREAD_ALL;
    check_whole(&error, "li-cai", 32, &target, 1000);
}

TEST(one_coordinate_is_cut_off_its_group)
{
    struct target target = gaussian(0.5, 2.0);
    struct factor_list list;
    struct score_error error = {.shape = error_shape_find("sign"), .spread = SPREAD_ONE};
    *integer_in(&target, "spectrum") = 2;
    *integer_in(&target, "k") = 3;
    make_factors(&target, 10, &error, &list);
    static const double multiplicity[] = {1.0, 2.0, 7.0}, variance[] = {2.0, 2.0, 0.0};
    ck_assert_uint_eq(list.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct factor_group *group = &list.group[i];
        ck_assert_double_eq(group->multiplicity, multiplicity[i]);
        ck_assert_double_eq(group->error_share, i == 0 ? 1.0 : 0.0);
        ck_assert_double_eq(group->factor.mean[0], 0.5);
        ck_assert_double_eq(group->factor.sd[0], sqrt(variance[i]));
    }
    factor_list_free(&list);
    *integer_in(&target, "k") = 1;
    make_factors(&target, 10, &error, &list);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_double_eq(list.group[0].error_share, 1.0);
    factor_list_free(&list);
}

TEST(the_diagonal_of_a_gaussian_is_one_coordinate)
{
    struct target target = gaussian(-0.5, 2.0);
    struct factor_list list;
    struct score_error error = {.shape = error_shape_find("bump"), .spread = SPREAD_DIAGONAL};
    make_factors(&target, 9, &error, &list);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_double_eq(list.group[0].multiplicity, 1.0);
    ck_assert_double_eq(list.group[0].error_share, 1.0);
    ck_assert_double_eq(list.group[0].factor.mean[0], -1.5);
    ck_assert_double_eq(list.group[1].multiplicity, 8.0);
    ck_assert_double_eq(list.group[1].error_share, 0.0);
    ck_assert_double_eq(list.group[1].factor.mean[0], 0.0);
    ck_assert_double_eq(list.group[0].factor.sd[0], sqrt(2.0));
    ck_assert_double_eq(list.group[1].factor.sd[0], sqrt(2.0));
    factor_list_free(&list);
    make_factors(&target, 1, &error, &list);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].factor.mean[0], -0.5);
    ck_assert_double_eq(list.group[0].error_share, 1.0);
    factor_list_free(&list);
    error.shape = error_shape_find("bias");
    make_factors(&target, 9, &error, &list);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].factor.mean[0], -0.5);
    ck_assert_double_eq(list.group[0].error_share, 1.0 / 9.0);
    factor_list_free(&list);
}

static void check_refused(const struct target *target, const struct score_error *error)
{
    OWNED(factor_list) list;
    struct error failure = {STATUS_OK, ""};
    ASSERT_OK(target_factors, target, 4, &list);
    ck_assert_int_eq(score_error_spread(error, 4, &list, &failure), STATUS_UNSUPPORTED);
    ck_assert_int_eq(failure.status, STATUS_UNSUPPORTED);
    ASSERT_SAYS(failure.text, "a wave error along the diagonal couples the coordinates", "only isotropic Gaussians");
}

TEST(coupled_coordinates_are_refused)
{
    struct target mixture = mixture_target(&factors[2]), power = gaussian(0.0, 1.0);
    struct score_error error = make_error("wave", 0.0, 1.0, 0.0);
    error.spread = SPREAD_DIAGONAL;
    *integer_in(&power, "spectrum") = 1;
    *real_in(&power, "exponent") = 1.0;
    check_refused(&mixture, &error);
    check_refused(&power, &error);
}

TEST(no_error_gives_no_shares)
{
    struct target target = gaussian(0.0, 1.0);
    OWNED(factor_list) list;
    struct score_error none = {.size = 0.1, .spread = SPREAD_ONE};
    make_factors(&target, 4, &none, &list);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].error_share, 0.0);
    ck_assert_str_eq(score_error_name(&none), "none");
}

static struct error_level level_of(const char *shape, struct mixture_level *mixture, double noise,
                                   const struct score_error *parameters)
{
    struct error_level at = {.shape = error_shape_find(shape), .amplitude = 1.0};
    mixture_level_set(mixture, &(struct level){1.0 - noise, noise});
    const struct error_argument argument = {.line = mixture};
    at.shape->prepare(parameters, &argument, &at);
    return at;
}

/* l_t^2 of the skewed factor by the law of total variance, and a wave's zeros and mean square slope. */
TEST(roughness_is_a_wave_number)
{
    OWNED(mixture_level) mixture;
    ASSERT_OK(mixture_level_new, &factors[3], &mixture);
    double mean = 0.1 * 0.0 + 0.7 * 1.0 + 0.2 * 2.5, square = 0.7 * 1.0 + 0.2 * 6.25;
    double within = 0.1 * 0.04 + 0.7 * 0.01 + 0.2 * 2.25, A = 0.7, slope[2] = {0.0, 0.0};
    double l = sqrt(A * (within + square - mean * mean) + 0.3);
    for (int i = 0; i < 2; i++) {
        const double roughness = i == 0 ? 20.0 : 60.0;
        const struct score_error parameters = make_error("wave", 0.0, roughness, 0.0);
        struct error_level at = level_of("wave", &mixture, 0.3, &parameters);
        double x[4] = {0.0, 0.77, -0.77, M_PI * l / roughness}, g[4];
        at.shape->evaluate(&at, 4, x, g);
        ck_assert_double_eq(g[0], 0.0);
        ck_assert_double_eq(g[1], -g[2]);
        ck_assert_double_eq_tol(g[3], 0.0, 1e-14);
        ck_assert_double_eq_tol(at.height, sqrt(2.0), 1e-3);
        slope[i] = at.height * at.scale;
    }
    ck_assert_double_eq_tol(slope[1] / slope[0], 3.0, 1e-3);
}

TEST(a_bump_is_as_high_as_it_is_rare)
{
    static const double delta[] = {0.4, 1e-2, 1e-9};
    OWNED(mixture_level) mixture;
    ASSERT_OK(mixture_level_new, &factors[0], &mixture);
    for (int i = 0; i < COUNT(delta); i++) {
        const struct score_error parameters = make_error("bump", 0.0, 0.0, delta[i]);
        struct error_level at = level_of("bump", &mixture, 0.5, &parameters);
        double sd = sqrt(0.5 * 0.25 + 0.5), u[2];
        ck_assert_double_eq_tol(at.height * sqrt(delta[i]), 1.0, 1e-6);
        for (int j = 0; j < 2; j++)
            u[j] = (at.edge[j] - sqrt(0.5) * 0.3) / sd;
        ck_assert_double_eq_tol(0.5 * erfc(u[0] * M_SQRT1_2), 0.25 + 0.5 * delta[i], 1e-14);
        ck_assert_double_eq_tol(0.5 * erfc(u[1] * M_SQRT1_2), 0.25 - 0.5 * delta[i], 1e-14);
    }
}

/* An edge belongs to what is above it, also where the position is rounded on its way from the anchor. */
TEST(edges_are_sharp)
{
    OWNED(mixture_level) mixture;
    ASSERT_OK(mixture_level_new, &factors[4], &mixture);
    static const char *const names[] = {"bump", "sign"};
    for (int s = 0; s < 2; s++) {
        const struct score_error parameters = make_error("bump", 0.0, 0.0, 0.1);
        struct error_level at = level_of(names[s], &mixture, 1e-24, &parameters);
        for (size_t j = 0; j < at.edges; j++) {
            double x[3] = {nextafter(at.edge[j], -9.0), at.edge[j], nextafter(at.edge[j], 9.0)}, g[3];
            double shift = mixture.root_alpha_bar, near[2] = {at.edge[j] - shift, at.edge[j] - shift - 1e-20},
                   work[2];
            at.shape->evaluate(&at, 3, x, g);
            ck_assert_double_ne(g[0], g[1]);
            ck_assert_double_eq(g[1], g[2]);
            ck_assert_double_eq(g[1], j == 0 ? at.height : 0.0);
            if (s == 0) {
                double sum[2] = {0.0, 0.0};
                error_level_add(&at, &mixture, 1, 2, near, sum, work);
                ck_assert_double_eq(sum[0], g[1]);
                ck_assert_double_eq(sum[1], g[0]);
            }
        }
    }
}

TEST(anchors_agree)
{
    OWNED(mixture_level) mixture;
    ASSERT_OK(mixture_level_new, &factors[3], &mixture);
    for (size_t s = 0; error_shape_at(s) != NULL; s++) {
        const struct score_error parameters = make_error(error_shape_at(s)->name, 0.0, 7.0, 0.2);
        struct error_level at = level_of(error_shape_at(s)->name, &mixture, 0.1, &parameters);
        at.amplitude = 0.25;
        for (double absolute = -3.0; absolute < 5.0; absolute += 0.03125) {
            double g, work, first = 0.0;
            at.shape->evaluate(&at, 1, &absolute, &g);
            for (size_t anchor = 0; anchor < 3; anchor++) {
                double x = absolute - mixture.root_alpha_bar * factors[3].mean[anchor], score = 3.0;
                error_level_add(&at, &mixture, anchor, 1, &x, &score, &work);
                first = anchor == 0 ? score : first;
                ck_assert_double_eq_tol(score, first, 1e-13);
            }
            if (at.edges == 0 || absolute < 0.0 || absolute > 0.0)
                ck_assert_double_eq_tol(first, 3.0 + 0.25 * g, 1e-13);
        }
    }
}

TEST(profiles_weigh_the_levels)
{
    OWNED(mixture_level) mixture;
    struct error_level at[2];
    OWNED_SCHEDULE *schedule = make_li_cai(50);
    ASSERT_OK(mixture_level_new, &factors[0], &mixture);
    for (size_t p = 0; error_profile_at(p) != NULL; p++) {
        const struct error_profile *profile = error_profile_at(p);
        struct score_error error = {.shape = error_shape_find("sign"), .profile = profile, .size = 0.5};
        double norm = score_error_norm(&error, schedule);
        for (size_t t = 1; t <= 50; t++) {
            struct level level = schedule_level(schedule, t);
            double expected = strcmp(profile->name, "uniform") == 0 ? 1.0
                              : strcmp(profile->name, "early") == 0 ? (t > 25 ? 1.0 : 0.0)
                              : strcmp(profile->name, "late") == 0  ? (t > 25 ? 0.0 : 1.0)
                                                                    : 1.0 / sqrt(level.noise);
            mixture_level_set(&mixture, &level);
            for (int i = 0; i < 2; i++)
                score_error_at(&error, norm, i == 0 ? 1.0 : 0.25, schedule, t, &mixture, &at[i]);
            ck_assert_double_eq_tol(at[0].amplitude, 0.5 * expected / norm, 1e-14 * expected + 1e-300);
            ck_assert_double_eq_tol(at[1].amplitude, 0.25 * expected / norm, 1e-14 * expected + 1e-300);
            ck_assert_int_eq(at[0].shape != NULL, expected > 0.0);
            ck_assert_uint_eq(at[0].edges, expected > 0.0 ? 1 : 0);
        }
        score_error_at(&error, norm, 0.0, schedule, 40, &mixture, &at[0]);
        ck_assert_ptr_null(at[0].shape);
        double x = 1.0, score = 2.0, work;
        error_level_add(&at[0], &mixture, 0, 1, &x, &score, &work);
        ck_assert_double_eq(score, 2.0);
    }
}

TEST(a_single_step_has_every_profile)
{
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 2.0, 2);
    for (size_t p = 0; error_profile_at(p) != NULL; p++) {
        struct score_error error = {.shape = error_shape_find("bias"), .profile = error_profile_at(p), .size = 0.5};
        ck_assert_double_gt(score_error_norm(&error, schedule), 0.0);
    }
}

static void check_text(const struct score_error *error, const char *expected)
{
    FREED char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(file);
    score_error_describe(error, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_str_eq(text, expected);
}

TEST(descriptions_hold_what_matters)
{
    struct score_error error = make_error("wave", 0.1, 3.0, 0.0);
    error.profile = error_profile_find("late");
    error.spread = SPREAD_ONE;
    error.growth = -0.5;
    check_text(&error, "wave roughness 3 profile late spread one size 0.10000000000000001 growth -0.5");
    error.shape = error_shape_find("bump");
    set_error_param(&error, "probability", 0.25);
    check_text(&error, "bump probability 0.25 profile late spread one size 0.10000000000000001 growth -0.5");
    error.shape = error_shape_find("bias");
    check_text(&error, "bias profile late spread one size 0.10000000000000001 growth -0.5");
    ck_assert_str_eq(score_error_name(&error), "bias");
    error.shape = NULL;
    check_text(&error, "none");
}

TEST(tables_find_their_names)
{
    size_t shapes = 0, profiles = 0, spreads = 0;
    for (; error_shape_at(shapes) != NULL; shapes++)
        ck_assert_ptr_eq(error_shape_find(error_shape_at(shapes)->name), error_shape_at(shapes));
    for (; error_profile_at(profiles) != NULL; profiles++)
        ck_assert_ptr_eq(error_profile_find(error_profile_at(profiles)->name), error_profile_at(profiles));
    for (; error_spread_names[spreads] != NULL; spreads++)
        ck_assert_ptr_nonnull(error_spread_docs[spreads]);
    ck_assert_uint_eq(shapes, 5);
    ck_assert_uint_eq(profiles, 4);
    ck_assert_uint_eq(spreads, 4);
    ck_assert_ptr_null(error_spread_docs[4]);
    ck_assert_str_eq(error_spread_names[SPREAD_DIAGONAL], "diagonal");
    ck_assert_ptr_null(error_shape_find("none"));
    ck_assert_ptr_null(error_profile_find("noon"));
}
