/* Densities on the line: at noise levels against an integral in extended precision and its differences, their draws
 * and distribution functions against their masses, the size of score errors, and wrong specs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/legendre.h"
#include "model/mixture_level.h"

#include "test/density_cases.h"
#include "test/laws.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(density, .setup = shell_setup, .teardown = shell_teardown);

/* ---- The reference. ---- */

enum { NODES = 20 };
static long double node[NODES], weight[NODES];

/* The Gauss-Legendre rule in extended precision, by a step of Newton's. */
static void set_rule(void)
{
    double start[NODES], ignored[NODES];
    legendre_rule(NODES, start, ignored);
    for (int i = 0; i < NODES; i++) {
        long double x = start[i], slope = 0.0L;
        for (int pass = 0; pass < 2; pass++) {
            long double before = 1.0L, value = x;
            for (int k = 1; k < NODES; k++) {
                long double next = ((2 * k + 1) * x * value - k * before) / (k + 1);
                before = value;
                value = next;
            }
            slope = NODES * (before - x * value) / (1.0L - x * x);
            x -= value / slope;
        }
        node[i] = x;
        weight[i] = 2.0L / ((1.0L - x * x) * slope * slope);
    }
}

/* The integral of p_0(place + centre + sd z) exp(-gauss z^2/2) over an interval of z. */
static long double add_interval(const struct density_case *of, long double place, long double centre, long double sd,
                                long double gauss, long double from, long double to)
{
    long double cell = fminl(1.0L, 0.5L * of->scale / sd), total = 0.0L;
    long double count = ceill((to - from) / cell), half = 0.5L * (to - from) / count;
    for (long double i = 0.0L; i < count; i += 1.0L)
        for (int k = 0; k < NODES; k++) {
            long double z = from + half * (2.0L * i + 1.0L + node[k]);
            total += half * weight[k] * of->shape(place, centre + sd * z) * expl(-0.5L * gauss * z * z);
        }
    return total;
}

/* The same over z in [-most, most], cut at the kinks. */
static long double integral(const struct density_case *of, long double place, long double centre, long double sd,
                            long double gauss, long double most)
{
    long double from = fmaxl(-most, (of->lowest - place - centre) / sd), total = 0.0L;
    long double end = fminl(most, (of->highest - place - centre) / sd);
    for (int k = 0; k < of->kinks; k++) {
        long double at = (of->kink[k] - place - centre) / sd;
        if (at > from && at < end) {
            total += add_interval(of, place, centre, sd, gauss, from, at);
            from = at;
        }
    }
    return total + (end > from ? add_interval(of, place, centre, sd, gauss, from, end) : 0.0L);
}

static long double log_integral(const struct density_case *of, long double place, long double centre, long double sd)
{
    return logl(integral(of, place, centre, sd, 1.0L, 16.0L));
}

/* log p_t up to what does not depend on x, and by an eighth-order difference of it the score, at sqrt(A) place + x.
 */
static void reference(const struct density_case *of, const struct level *level, double place, double x, double step,
                      long double *log_density, long double *score)
{
    static const long double coefficient[] = {4.0L / 5.0L, -1.0L / 5.0L, 4.0L / 105.0L, -1.0L / 280.0L};
    long double root = sqrtl(level->alpha_bar), sd = sqrtl(level->noise) / root;
    *log_density = log_integral(of, place, x / root, sd) - logl(root) - 0.5L * logl(2.0L * acosl(-1.0L));
    *score = 0.0L;
    for (int k = 0; k < 4; k++) {
        long double right = x + (k + 1) * (long double)step, left = x - (k + 1) * (long double)step;
        *score += coefficient[k]
                  * (log_integral(of, place, right / root, sd) - log_integral(of, place, left / root, sd)) / step;
    }
}

static const double noises[] = {1e-20, 1e-15, 1e-10, 1e-6, 1e-3, 0.03, 0.3, 0.8, 0.99, 1.0 - 1e-6};
static const double offsets[] = {-3.1, -0.4, 0.15, 1.2, 2.9};

TEST(levels_agree_with_integrals, .count = DENSITY_CASES)
{
    const struct density_case *of = &density_cases[_i];
    OWNED(factor_list) list = density_factors(of);
    const struct factor *factor = &list.group[0].factor;
    struct mixture_level level;
    ASSERT_OK(mixture_level_new, factor, &level);
    set_rule();
    long double normaliser = integral(of, 0.0L, 0.0L, 1.0L, 0.0L, 1e3L);
    int compared = 0;
    for (int i = 0; i < COUNT(noises); i++) {
        struct level at = {1.0 - noises[i], noises[i]};
        mixture_level_set(&level, &at);
        for (size_t k = 0; k < factor->components; k++)
            for (int j = 0; j < COUNT(offsets); j++) {
                double x = offsets[j] * level.sd[k], log_density, score, step = 0.01 * sqrt(at.noise);
                double root = sqrt(at.alpha_bar), clear = of->scale * root;
                for (int e = 0; e < of->kinks; e++)
                    clear = fmin(clear, fabs(x - root * (of->kink[e] - factor->mean[k])));
                if (clear > 30.0 * sqrt(at.noise)) /* smooth there on its own scale */
                    step = 0.01 * clear;
                long double expected, slope;
                reference(of, &at, factor->mean[k], x, step, &expected, &slope);
                expected -= logl(normaliser);
                if (!(expected > -80.0L))
                    continue;
                mixture_level_evaluate(&level, k, 1, &x, &log_density, &score);
                const double off = fabs((double)(log_density - expected)), apart = fabs((double)(score - slope));
                ck_assert_msg(off <= 2e-13, "%s, 1-abar %g, component %zu, x %.17g: log p %.17g, off by %.2g",
                              of->family, at.noise, k, x, log_density, off);
                /* the integral has 1e-18, and its difference so much over the step */
                double bound = 2e-13 * (fabs(score) + 1.0 / of->scale) + 4e-18 / step;
                ck_assert_msg(apart <= bound,
                              "%s, 1-abar %g, component %zu, x %.17g: score %.17g, off by %.2g > %.2g", of->family,
                              at.noise, k, x, score, apart, bound);
                compared++;
            }
    }
    ck_assert_int_gt(compared, 60);
    mixture_level_free(&level);
}

/* Of many pieces only those near a point count: the others are as good as nothing. */
TEST(many_pieces_are_summed)
{
    enum { PIECES = 199 };
    struct density_piece piece[PIECES];
    OWNED(density) density = {0};
    for (int i = 0; i < PIECES; i++) {
        double at[] = {-4.0 + 8.0 * i / PIECES, -4.0 + 8.0 * (i + 1) / PIECES}, value[2];
        for (int k = 0; k < 2; k++)
            value[k] = 2.0 * cos(3.0 * at[k]) - 2.0 * at[k] * at[k];
        piece[i] =
            (struct density_piece){at[0], at[1], value[0], value[1], (value[1] - value[0]) / (at[1] - at[0]), 0.0};
    }
    ASSERT_OK(density_of_pieces, PIECES, piece, &density);
    set_rule();
    for (int n = 1; n < COUNT(noises) - 2; n++) {
        const double noise = noises[n];
        const struct level level = {1.0 - noise, noise};
        const long double root = sqrtl(level.alpha_bar), sd = sqrtl(noise);
        for (double x = -3.9; x <= 3.9; x += 0.613) {
            long double total = 0.0L, slope = 0.0L, highest = -HUGE_VALL;
            for (int pass = 0; pass < 2; pass++)
                for (int i = 0; i < PIECES; i++) { /* in parts as short as the noise, about x */
                    const struct density_piece *p = &density.piece[i];
                    long double from = fmaxl(p->from, (x - 14.0L * sd) / root),
                                to = fminl(p->to, (x + 14.0L * sd) / root);
                    long double parts = ceill((to - from) * root / sd), half = 0.5L * (to - from) / parts;
                    for (long double k = 0.0L; k < parts; k += 1.0L)
                        for (int j = 0; j < NODES; j++) {
                            long double u = from + half * (2.0L * k + 1.0L + node[j]), z = (root * u - x) / sd;
                            long double value = p->log_from + p->slope * (u - p->from) - 0.5L * z * z;
                            highest = pass == 0 ? fmaxl(highest, value) : highest;
                            long double part = pass == 1 ? half * weight[j] * expl(value - highest) : 0.0L;
                            total += part;
                            slope += part * z / sd;
                        }
                }
            double log_density, score;
            density_evaluate(&density, &level, 0.0, 1, &x, &log_density, &score);
            double expected = (double)(highest + logl(total) - logl(sd) - 0.5L * logl(2.0L * acosl(-1.0L))),
                   expected_score = (double)(slope / total);
            ck_assert_msg(fabs(log_density - expected) < 1e-12 * (1.0 + fabs(expected))
                              && fabs(score - expected_score) < 1e-10 * (1.0 + fabs(expected_score)),
                          "1-abar %g, x %g: %.17g, %.17g, not %.17g, %.17g", noise, x, log_density, score, expected,
                          expected_score);
        }
    }
}

/* One endless piece from 0, so that p_t is N(z; 0, 1) R(t), t = z + sqrt(O/A)/scale and R Mills' ratio: its every
 * digit, of which sums with other pieces show few. */
TEST(one_piece_has_all_digits)
{
    OWNED(factor_list) list = density_factors(&density_cases[2]);
    const struct density *density = list.group[0].factor.density;
    for (double t = 0.01; t < 40.0; t += 0.21) {
        double wide = fmin(t, 15.9) * density_cases[2].scale, root = 1.0 / sqrt(1.0 + wide * wide), log_density;
        struct level level = {root * root, wide * root * (wide * root)};
        double x = -(t - wide / density_cases[2].scale) * wide * root;
        long double sd = sqrtl(level.noise), z = -x / sd, b = sd / sqrtl(level.alpha_bar) / 0.5L;
        long double expected = logl(erfcl((z + b) / sqrtl(2.0L))) + 0.5L * b * (2.0L * z + b) - logl(0.5L)
                               - 0.5L * logl(level.alpha_bar) - logl(2.0L);
        density_evaluate(density, &level, 0.0, 1, &x, &log_density, NULL);
        double z2 = (double)(z * z);
        ck_assert_msg(fabs((double)(log_density - expected)) < 4e-15 + 2.3e-16 * z2, "t %g: log p %.17g, not %.17Lg",
                      t, log_density, expected);
    }
}

/* ---- Draws. ---- */

/* The mass below a place, by the reference. */
static long double mass_below(const struct density_case *of, double x)
{
    struct density_case cut = *of;
    cut.highest = x;
    return integral(&cut, 0.0L, 0.0L, 1.0L, 0.0L, 1e3L);
}

TEST(draws_have_the_density, .count = DENSITY_CASES)
{
    const struct density_case *of = &density_cases[_i];
    OWNED(factor_list) list = density_factors(of);
    const struct density *density = list.group[0].factor.density;
    set_rule();
    long double whole = mass_below(of, of->highest);
    for (double u = 1e-9; u < 1.0; u += u < 0.01 ? 0.003 : 0.0437) {
        double x = density_quantile(density, u), mass = (double)(mass_below(of, x) / whole);
        ck_assert_msg(fabs(mass - u) < 1e-13 + 1e-10 * fmin(u, 1e-6), "%s: mass %.17g below the quantile of %.17g",
                      of->family, mass, u);
    }
}

/* The two routes to the distribution function with noise meet where one takes over from the other, which also bounds
 * the work where there is far more noise; the characteristic function has the mass and the mean near 0. */
TEST(noise_of_any_size, .count = DENSITY_CASES)
{
    OWNED(factor_list) list = density_factors(&density_cases[_i]);
    const struct density *density = list.group[0].factor.density;
    double mean = 0.0, real, imaginary;
    for (size_t k = 0; k < density->masses; k++)
        mean += density->weight[k] * density->position[k];
    for (double x = -3.0; x <= 3.0; x += 0.37)
        for (double side = -1.0; side <= 1.0; side += 2.0) {
            double share = side / density->narrow;
            double wide = density_smoothed_below(density, share * (1.0 - 1e-13), 1.0, x);
            ck_assert_double_eq_tol(wide, density_smoothed_below(density, share * (1.0 + 1e-13), 1.0, x), 1e-12);
            wide = density_smoothed_below(density, 1e-9 * side, 1.0, x);
            ck_assert_double_eq_tol(wide, 0.5 * erfc((1e-9 * side * mean - x) * M_SQRT1_2), 1e-13);
        }
    density_characteristic(density, 0.0, &real, &imaginary);
    ck_assert_double_eq_tol(real, 1.0, 1e-13);
    ck_assert_double_eq(imaginary, 0.0);
    density_characteristic(density, 1e-9, &real, &imaginary);
    ck_assert_double_eq_tol(imaginary, 1e-9 * mean, 1e-22 + 1e-13 * fabs(1e-9 * mean));
}

/* ---- Score errors. ---- */

static int ascending(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* E_{p_t} g^2 by Gauss-Legendre rules between the places where p_t or g bends, which it does within multiples of the
 * noise's standard deviation of a kink. */
static double square_mean(const struct density_case *of, const struct mixture_level *level,
                          const struct error_level *at)
{
    enum { RULE = 16, MOST = 256 };
    double cut[MOST], rule_node[RULE], rule_weight[RULE], root = level->root_alpha_bar, sd = sqrt(level->level.noise);
    double longest = fmin(0.25 * hypot(root * of->scale, sd), at->scale > 0.0 ? 1.0 / at->scale : HUGE_VAL);
    double low = root * fmax(of->lowest, -20.0) - 9.0 * sd, high = root * fmin(of->highest, 20.0) + 9.0 * sd;
    double total = 0.0, origin = root * level->factor->mean[0];
    size_t cuts = 0;
    cut[cuts++] = low;
    cut[cuts++] = high;
    for (size_t e = 0; e < at->edges; e++)
        cut[cuts++] = at->edge[e];
    for (int k = 0; k < of->kinks; k++)
        for (int j = -8; j <= 8; j++)
            cut[cuts++] = root * of->kink[k] + j * sd;
    qsort(cut, cuts, sizeof *cut, ascending);
    legendre_rule(RULE, rule_node, rule_weight);
    for (size_t c = 0; c + 1 < cuts; c++)
        for (double parts = ceil((cut[c + 1] - cut[c]) / longest), p = 0.0; p < parts && cut[c] >= low; p += 1.0) {
            double half = 0.5 * (cut[c + 1] - cut[c]) / parts, x[RULE], log_density[RULE], value[RULE] = {0.0},
                   work[RULE];
            for (int i = 0; i < RULE; i++)
                x[i] = cut[c] + half * (2.0 * p + 1.0 + rule_node[i]) - origin;
            mixture_level_evaluate(level, 0, RULE, x, log_density, NULL);
            error_level_add(at, level, 0, RULE, x, value, work);
            for (int i = 0; i < RULE && cut[c + 1] <= high; i++)
                total += half * rule_weight[i] * exp(log_density[i]) * value[i] * value[i];
        }
    return total;
}

/* Where point masses stand for the density and where they do not; waves that they integrate, and faster ones. */
TEST(score_errors_have_size_one, .count = DENSITY_CASES)
{
    static const double with[][2] = {{0.5, 0.02}, {1e-6, 1e-7}, {40.0, 0.4}};
    static const double at_noise[] = {1e-16, 1e-6, 0.03, 0.9, 1.0 - 1e-6};
    OWNED(factor_list) list = density_factors(&density_cases[_i]);
    OWNED(mixture_level) level;
    ASSERT_OK(mixture_level_new, &list.group[0].factor, &level);
    for (int n = 0; n < COUNT(at_noise); n++) {
        mixture_level_set(&level, &(struct level){1.0 - at_noise[n], at_noise[n]});
        for (size_t s = 0; error_shape_at(s) != NULL; s++)
            for (int e = 0; e < COUNT(with) && (e == 0 || error_shape_at(s)->params != NULL); e++) {
                struct error_level at = {.shape = error_shape_at(s), .amplitude = 1.0};
                const struct score_error error = make_error(at.shape->name, 0.0, with[e][0], with[e][1]);
                const struct error_argument argument = {.line = &level};
                at.shape->prepare(&error, &argument, &at);
                double size = square_mean(&density_cases[_i], &level, &at);
                ck_assert_msg(fabs(size - 1.0) < 1e-9, "%s, %s %g %g, 1-abar %g: %.15g", density_cases[_i].family,
                              at.shape->name, with[e][0], with[e][1], at_noise[n], size);
            }
    }
}

/* ---- Specs. ---- */

static const struct {
    const char *target, *says;
} wrong[] = {
    {"kind: uniform, low: 1, high: 0", "low is 1 and high 0, expected low < high"},
    {"kind: laplace, scale: 0", "x.yaml:2:43: expected a number > 0, found '0'"},
    {"kind: tabulated, file: falls.csv", "x of pair 1 is 1 and of pair 2 0, expected them to grow"},
    {"kind: tabulated, file: odd.csv", "found 3 numbers, expected pairs of x and log p"},
    {"kind: tabulated, file: spike.csv", "length of 2e-11 takes 1e+11 point masses"},
    {"kind: tabulated, file: word.csv", "word.csv:2:4: expected a number, found 'one'"},
};

TEST(wrong_specs_are_refused)
{
    char text[400];
    write_file("falls.csv", "1, 0\n0, 1\n2, 0\n");
    write_file("odd.csv", "1, 0\n0\n");
    write_file("spike.csv", "-1, 0\n0, 0\n1e-9, 50\n2e-9, 0\n1, 0\n");
    write_file("word.csv", "1, 0\n2, one\n");
    for (int i = 0; i < COUNT(wrong); i++) {
        (void)snprintf(text, sizeof text,
                       "title: t\ntargets: [{name: x, %s}]\nsamplers: [ddpm]\ndimensions: [1]\nsteps: [64]\n",
                       wrong[i].target);
        write_file("x.yaml", text);
        assert_exits("@ measure %/x.yaml 2>&1", 2, wrong[i].says);
        ASSERT_SAYS(output, "x.yaml:");
        ck_assert_uint_eq(lines(output), 1);
    }
}
