#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment/spec.h"
#include "model/form.h"
#include "test/laws.h"
#include "test/suite.h"
#include "verdict/claims.h"

TEST_SUITE(form);

static const struct {
    const char *text;
    double at_1, at_9;
} forms[] = {
    {"d", 1.0, 9.0},
    {"sqrt(d)", 1.0, 3.0},
    {"2 sqrt(d)", 2.0, 6.0},
    {"-1/2 * sqrt(d)", -0.5, -1.5},
    {"1/d", 1.0, 1.0 / 9.0},
    {"3 / sqrt(d)", 3.0, 1.0},
    {"d^1/2", 1.0, 3.0},
    {"0.5 d^-2", 0.5, 0.5 / 81.0},
    {"exp(-d)", 0.36787944117144233, 1.2340980408667956e-4},
    {"4 exp(0.25 d)", 5.136101666750966, 37.950943345434104},
    {"4 d log(d)", 0.0, 79.1000847841039},
    {"log(d)^2", 0.0, 4.827795843250328},
    {"2 sqrt(d) log(d)^1/2", 0.0, 8.893822844205067},
    {" exp( -1/3 * d ) ", 0.7165313105737893, 0.049787068367863944},
};

TEST(forms_are_numbers_of_the_dimension, .count = COUNT(forms))
{
    struct form form;
    ck_assert_msg(form_parse(forms[_i].text, &form), "%s", forms[_i].text);
    ck_assert_double_eq_tol(form_value(&form, 1.0), forms[_i].at_1, 1e-14 * fabs(forms[_i].at_1) + 1e-300);
    ck_assert_double_eq_tol(form_value(&form, 9.0), forms[_i].at_9, 1e-14 * fabs(forms[_i].at_9));
}

TEST(other_texts_are_no_forms)
{
    static const char *const texts[] = {
        "",      "1",   "2 3",       "D",          "exp(d", "exp(2)",     "exp()",    "sqrt(2)",       "d d",
        "d^",    "1/",  "1/2/d/",    "log(2)",     "d + 1", "1/d log(d)", "log(d) d", "log(d) log(d)", "log d",
        "exp d", "2^d", "sqrt(d) d", "exp(nan d)", "inf d", "- d",        "one d"};
    struct form form;
    for (int i = 0; i < COUNT(texts); i++)
        ck_assert_msg(!form_parse(texts[i], &form), "%s", texts[i]);
}

static enum status parse(const char *targets, struct spec *spec, struct error *error)
{
    char text[400];
    (void)snprintf(text, sizeof text, "targets: [%s]\nsamplers: [ddpm]\ndimensions: [1, 4]\nsteps: [64]\n", targets);
    return spec_parse("x.yaml", text, strlen(text), "", claim_names(), spec, error);
}

/* The factors in d = 4 are those of a target whose numbers are written out. */
TEST(targets_depend_on_the_dimension)
{
    static const struct {
        const char *form, *number;
    } same[] = {
        {"{name: x, kind: mixture, weights: [rest, exp(-0.5 d)], means: [0, sqrt(d)], sds: [1/d, 0.5]}",
         "{name: x, kind: mixture, weights: [0.8646647167633873, 0.1353352832366127], means: [0, 2], sds: [0.25, "
         "0.5]}"},
        {"{name: x, kind: gaussian, mean: 2 sqrt(d), variance: 1/d}",
         "{name: x, kind: gaussian, mean: 4, variance: 0.25}"},
    };
    for (int i = 0; i < COUNT(same); i++) {
        struct spec spec[2];
        struct factor_list list[2];
        const char *const texts[] = {same[i].form, same[i].number};
        for (int k = 0; k < 2; k++) {
            ASSERT_OK(parse, texts[k], &spec[k]);
            ASSERT_OK(target_factors, &spec[k].targets[0], 4, &list[k]);
        }
        const struct factor *a = &list[0].group[0].factor, *b = &list[1].group[0].factor;
        ck_assert(list[0].count == 1 && list[1].count == 1 && a->components == b->components);
        for (size_t c = 0; c < a->components; c++) {
            ck_assert_double_eq_tol(a->weight[c], b->weight[c], 1e-15);
            ck_assert_double_eq_tol(a->mean[c], b->mean[c], 1e-15);
            ck_assert_double_eq_tol(a->sd[c], b->sd[c], 1e-15);
        }
        for (int k = 0; k < 2; k++) {
            factor_list_free(&list[k]);
            spec_free(&spec[k]);
        }
    }
}

/* exp(-d/2) at d = 2 10^5 is far below the range of numbers. */
TEST(weights_keep_their_logarithm)
{
    const size_t d = 200000;
    OWNED(spec) spec;
    struct factor_list list;
    ASSERT_OK(parse, "{name: x, kind: mixture, weights: [0.5, rest, 0.1 exp(-0.5 d)], means: [0, 1, 2], sds: 1}",
              &spec);
    ASSERT_OK(target_factors, &spec.targets[0], d, &list);
    const struct factor *factor = &list.group[0].factor;
    static const double expected[] = {-M_LN2, -M_LN2, -M_LN10 - 1e5};
    for (size_t k = 0; k < 3; k++)
        ck_assert_double_eq_tol(factor_log_weight(factor, k), expected[k], 1e-15 * fmax(-expected[k], 1.0));
    ck_assert(factor->weight[2] == 0.0);
    factor_list_free(&list);
}

TEST(numbers_out_of_range_are_refused)
{
    static const struct {
        const char *target, *message;
    } bad[] = {
        {"{name: x, kind: mixture, weights: [rest, exp(0.5 d)], means: [0, 1], sds: 1}",
         "x.yaml:3:13: target x: the other weights sum to 1.6487212707 in dimension 1, expected less than 1"},
        {"{name: x, kind: mixture, weights: [rest, -exp(-d)], means: [0, 1], sds: 1}",
         "expected a number > 0, found '-exp(-d)'"},
        {"{name: x, kind: mixture, weights: [rest, -1 exp(-900 d)], means: [0, 1], sds: 1}",
         "'weights' is -0 in dimension 1, expected a number > 0"},
        {"{name: x, kind: mixture, weights: [1/2, 0.5 d], means: [0, 1], sds: 1}",
         "the weights sum to 2.5 in dimension 4, expected 1 within 1e-9"},
        {"{name: x, kind: mixture, weights: [rest, rest], means: [0, 1], sds: 1}",
         "a second weight is 'rest', expected one"},
        {"{name: x, kind: gaussian, variance: -1/d}", "'variance' is -1 in dimension 1, expected a number > 0"},
        {"{name: x, kind: student-t, nu: 3 d}", "expected a number > 2, found '3 d'"},
        {"{name: x, kind: gaussian, variance: exp(d}", "expected a number > 0, found 'exp(d'"},
        {"{name: x, kind: direct-sum, factors: [{kind: gaussian, variance: 1/d, copies: rest}]}",
         "expected a number > 0, found '1/d'"},
    };
    for (int i = 0; i < COUNT(bad); i++) {
        OWNED(spec) spec;
        ASSERT_FAILS(STATUS_INVALID, bad[i].message, parse, bad[i].target, &spec);
    }
}
