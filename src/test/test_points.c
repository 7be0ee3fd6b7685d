/* One's own data: the score and density of points at noise levels against sums written out, chains against the law
 * on the line, and files: those read alike, and those refused. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "law/measure.h"
#include "model/joint_level.h"
#include "model/mixture_level.h"
#include "sample/memorised.h"
#include "sample/sample.h"
#include "test/laws.h"
#include "test/shell.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(points, .setup = shell_setup, .teardown = shell_teardown);

enum { N = 200, MOST = 3 };

/* Not to be cleared: the numbers are borrowed. */
static struct target points_target(size_t rows, size_t columns, const double *value, double bandwidth)
{
    struct target target;
    target_init(&target, target_family_find("points"));
    *table_in(&target, "file") = (struct number_table){.rows = rows, .columns = columns, .value = value};
    *real_in(&target, "bandwidth") = bandwidth;
    return target;
}

/* log p and its gradient at sqrt(A) x_0 + u, where V = A s^2 + O. */
static long double direct(size_t d, const double *data, const struct level *level, double bandwidth, const double *u,
                          long double *score)
{
    long double V = (long double)level->alpha_bar * bandwidth * bandwidth + level->noise, nearest = HUGE_VALL;
    long double square[N], total = 0.0L, root = sqrtl((long double)level->alpha_bar);
    for (size_t k = 0; k < N; k++) {
        square[k] = 0.0L;
        for (size_t i = 0; i < d; i++) {
            long double z = u[i] - root * ((long double)data[k * d + i] - data[i]);
            square[k] += z * z;
        }
        nearest = fminl(nearest, square[k]);
    }
    for (size_t i = 0; i < d; i++)
        score[i] = 0.0L;
    for (size_t k = 0; k < N; k++) {
        long double weight = expl(-0.5L * (square[k] - nearest) / V);
        total += weight;
        for (size_t i = 0; i < d; i++)
            score[i] -= weight * (u[i] - root * ((long double)data[k * d + i] - data[i])) / V;
    }
    for (size_t i = 0; i < d; i++)
        score[i] /= total;
    return logl(total / N) - 0.5L * (nearest / V + (long double)d * logl(2.0L * M_PI * V));
}

static void evaluate(const struct factor *factor, const struct level *level, double *x, double *log_density,
                     double *score)
{
    if (factor->dimension == 1) {
        OWNED(mixture_level) line;
        ASSERT_OK(mixture_level_new, factor, &line);
        mixture_level_set(&line, level);
        mixture_level_evaluate(&line, 0, N, x, log_density, score);
    } else {
        OWNED(joint_level) joint;
        ASSERT_OK(joint_level_new, factor, &joint);
        joint_level_set(&joint, level);
        joint_level_evaluate(&joint, 0, N, N, x, log_density, score);
    }
}

/* Near each of them. Positions relative to the first point have 16 digits, so many as are left of the noise's scale
 * are those of the result. */
TEST(score_and_density, .count = 4)
{
    const size_t d = _i % 2 == 0 ? 1 : MOST;
    const double bandwidth = _i < 2 ? 0.0 : 0.05;
    double data[N * MOST], x[N * MOST], log_density[N], score[N * MOST];
    random_normals((struct random_block){random_key_of(3, 1), 0, 0, 0, N, 0, d, N}, data);
    const struct target target = points_target(N, d, data, bandwidth);
    OWNED(factor_list) list;
    ASSERT_OK(target_factors, &target, d, &list);
    for (int step = 0; step < 10; step++) {
        const double noise = step == 0 ? 0.99 : pow(10.0, -20.0 / 9.0 * step),
                     sd = sqrt(noise + bandwidth * bandwidth);
        const struct level level = {1.0 - noise, noise};
        const double tolerance = fmax(1e-9, 3e-15 / sd);
        random_normals((struct random_block){random_key_of(3, 2), 0, 0, 0, N, 0, d, N}, x);
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < N; j++)
                x[i * N + j] = sd * x[i * N + j] + sqrt(level.alpha_bar) * (data[j * d + i] - data[i]);
        evaluate(&list.group[0].factor, &level, x, log_density, score);
        for (size_t j = 0; j < N; j++) {
            long double exact[MOST];
            double u[MOST];
            for (size_t i = 0; i < d; i++)
                u[i] = x[i * N + j];
            const double value = (double)direct(d, data, &level, bandwidth, u, exact);
            ck_assert_msg(fabs(log_density[j] - value) <= tolerance * (1.0 + fabs(value)),
                          "d = %zu, s = %g, noise %g: log p %.17g, not %.17g", d, bandwidth, noise, log_density[j],
                          value);
            for (size_t i = 0; i < d; i++)
                ck_assert_msg(fabs(score[i * N + j] - (double)exact[i])
                                  <= tolerance * (1.0 / sd + fabs((double)exact[i])),
                              "d = %zu, s = %g, noise %g: score %.17g, not %.17g", d, bandwidth, noise,
                              score[i * N + j], (double)exact[i]);
        }
    }
}

/* The masses of atoms by chains, and by the line engine. */
TEST(chains_agree_with_the_law_on_the_line)
{
    static const double data[] = {0.5, -1.2, 1.5, -0.3};
    enum { ATOMS = COUNT(data), CHAINS = 1 << 16 };
    const struct target target = points_target(ATOMS, 1, data, 0.0);
    const size_t d = 1;
    OWNED_SCHEDULE *schedule = make_li_cai(40);
    OWNED(factor_list) list;
    struct measurement law;
    struct estimates found;
    ASSERT_OK(target_coordinates, &target, d, &list);
    ASSERT_OK(measure_target, &(struct measure_problem){&target, sampler_find("ddpm"), NULL, schedule, 1}, &d, 1,
              &law);
    const struct chain_problem problem = make_chains(&list, sampler_find("ddpm"), schedule, 1, 5);
    ASSERT_OK(sample_measure, &problem, CHAINS, 0, 1u << 0 | 1u << 3 /* projection, masses */, &found);
    ck_assert_uint_eq(law.masses, ATOMS);
    double largest = 0.0;
    for (size_t k = 0; k < ATOMS; k++) {
        const struct estimate error = found.mass_error[k];
        largest = fmax(largest, fabs(law.mass_error[k].value) / error.error);
        ck_assert_msg(fabs(law.mass_error[k].value - error.value) <= law.mass_error[k].error + 4.0 * error.error,
                      "atom %zu: mass error %g, of chains %g +- %g", k, law.mass_error[k].value, error.value,
                      error.error);
    }
    ck_assert_double_gt(largest, 6.0); /* the sampler's error shows */
    ck_assert_double_lt(found.projection_tv.value, law.divergence.tv.value + 4.0 * found.projection_tv.error);
    ck_assert_double_gt(found.projection_tv.value, 0.5 * law.divergence.tv.value);
}

/* ---- Files. ---- */

/* Not in a plane: no exact law. */
enum { ROWS = 4, COLUMNS = 3 };
static const float numbers[] = {0.5f, 1.0f, 0.0f, -1.25f, 2.0f, 3.0f, 0.125f, -0.5f, 0.0f, 1.0f, 1.0f, 1.0f};

static void write_npy(const char *name, const char *type, const char *shape, size_t size)
{
    char path[300], header[200];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    const int length =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", type, shape);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "\x93NUMPY%c%c%c%c", 1, 0, length, 0);
    fputs(header, file);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        const double wide = (double)numbers[i];
        (void)fwrite(size == sizeof wide ? (const void *)&wide : (const void *)&numbers[i], size, 1, file);
    }
    ck_assert_int_eq(fclose(file), 0);
}

static void write_hdf5(const char *name)
{
    char path[300];
    const hsize_t size[] = {ROWS, COLUMNS};
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate_simple(2, size, NULL);
    hid_t set = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
    ck_assert(H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && H5Fclose(file) >= 0);
}

static void write_files(void)
{
    write_file("x.txt", "# points\n0.5 1 0\n\n -1.25\t2 3 # the second\n.125 -.5 0\n1 1 1");
    write_file("x.csv", "0.5,1,0\r\n-1.25, 2,3\r\n0.125,-5e-1,0\r\n1,1,1\r\n");
    write_file("mark.csv", "\xEF\xBB\xBF"
                           "0.5,1,0\n-1.25,2,3\n0.125,-0.5,0\n1,1,1\n");
    write_npy("x8.npy", "<f8", "(4, 3)", sizeof(double));
    write_npy("x4.npy", "<f4", "(4, 3)", sizeof(float));
    write_hdf5("x.h5");
}

static void write_spec(const char *file, int dimension)
{
    char text[400];
    (void)snprintf(text, sizeof text,
                   "targets: [{name: x, kind: points, file: %s}]\nsamplers: [ddpm]\ndimensions: [%d]\nsteps: [32]\n"
                   "samples: {chains: 128, methods: [projection]}\n",
                   file, dimension);
    write_file("x.yaml", text);
}

/* Chains have the random numbers of their cell, whose name has a hash of the points: the same table in all forms. */
TEST(forms_of_files_are_read_alike)
{
    static const char *const files[] = {"x.txt", "x.csv", "mark.csv", "x8.npy", "x4.npy", "x.h5:x"};
    FREED char *first = NULL;
    write_files();
    for (int i = 0; i < COUNT(files); i++) {
        write_spec(files[i], COLUMNS);
        assert_exits("@ measure %/x.yaml 2> %/progress", 0, "TV >= (proj.)");
        if (first == NULL)
            first = strdup(output);
        ck_assert_msg(strcmp(output, first) == 0, "%s: %s", files[i], output);
    }
    write_file("x.txt", "0.5 1 0\n-1.25 2 3\n0.125 -0.25 0\n1 1 1\n");
    write_spec("x.txt", COLUMNS);
    assert_exits("@ measure %/x.yaml 2> %/progress", 0, "TV >= (proj.)");
    ck_assert_str_ne(output, first);
}

static const struct {
    const char *file, *text, *says; /* NULL: none is written */
    int dimension;
} bad[] = {
    {"rows.txt", "1 2\n3 4\n5 6 7\n", "rows.txt:3:6: found a row of 3 numbers, expected 2 as in line 1", 2},
    {"word.csv", "1,2\n3,x4\n", "word.csv:2:3: expected a number, found 'x4'", 2},
    {"head.csv", "a,b\n1,2\n", "head.csv:1:1: expected a number (a line of names must begin with #), found 'a'", 2},
    {"hole.csv", "1,,2\n3,,4\n", "hole.csv:1:3: expected a number, found ','", 2},
    {"end.csv", "1,\n2,\n", "end.csv:1:3: expected a number after the comma, found the end of the line\n", 1},
    {"nan.txt", "1 2\n3 nan\n", "nan.txt:2:3: expected a number, found 'nan'", 2},
    {"empty.txt", "# nothing\n", "empty.txt: found no numbers", 2},
    {"none.txt", NULL, "none.txt: No such file or directory", 2},
    {"x.h5", NULL, "x.h5 is not a text; the dataset of an HDF5 file is FILE:DATASET", 2},
    {"x.h5:y", NULL, "no dataset 'y' of numbers in one or two dimensions", 2},
    {"none.h5:x", NULL, "none.h5: No such file or directory", 2},
    {"word.csv:x", NULL, "word.csv is no HDF5 file, which FILE:DATASET expects", 2},
    {"int.npy", NULL, "expected an array of one or two axes of float64 or float32", 2},
    {"int.npy", NULL, "found {'descr': '<i8', 'fortran_order': False, 'shape': (4, 3), }\n", 2},
    {"cut.npy", NULL, "cut.npy: its numbers are cut off, expected 9 x 3", 2},
    {"huge.npy", NULL, "huge.npy: found more than 100000000 numbers", 2},
    {"header.npy", "\x93NUMPY\x01", "header.npy: its .npy header is cut off", 2},
    {"x.txt", NULL, "x.yaml:3:13: target x: its 4 points have 3 coordinates, expected `dimensions: [3]`, found 2", 2},
};

TEST(bad_files_are_refused)
{
    write_files();
    write_npy("int.npy", "<i8", "(4, 3)", sizeof(double));
    write_npy("cut.npy", "<f8", "(9, 3)", sizeof(double));
    write_npy("huge.npy", "<f8", "(999999999999, 999999999)", sizeof(double));
    for (int i = 0; i < COUNT(bad); i++) {
        if (bad[i].text != NULL)
            write_file(bad[i].file, bad[i].text);
        write_spec(bad[i].file, bad[i].dimension);
        assert_exits("@ measure %/x.yaml 2>&1", 2, bad[i].says, "x.yaml:");
        ck_assert_uint_eq(lines(output), 1);
    }
}

/* Results keep small tables, and hashes of large ones: cells of these are known again, and measured again only with
 * the file. */
TEST(results_know_their_points)
{
    enum { OF_A_ROW = 100, NUMBERS = 101 * OF_A_ROW };
    FREED char *text = array_new(2 * NUMBERS + 1, 1);
    for (size_t i = 0; i < NUMBERS; i++)
        memcpy(text + 2 * i, (const char[]){i % 7 == 0 ? '2' : '1', i % OF_A_ROW == OF_A_ROW - 1 ? '\n' : ' '}, 2);
    write_file("x.txt", text);
    write_spec("x.txt", OF_A_ROW);
    assert_exits("@ run --output %/r %/x.yaml 2>&1", 0, "1 cell measured");
    assert_exits("@ run --output %/r %/x.yaml 2>&1", 0, "0 cells measured, 1 read back");
    assert_exits("@ check %/r/x 2>&1", 1, "results hold a hash of its 101 points", "--spec");
    assert_exits("@ check --spec %/x.yaml %/r/x 2>&1", 0, "1 the same to the bit");
    text[2] = '3';
    write_file("x.txt", text);
    assert_exits("@ run --output %/r %/x.yaml 2>&1", 1, "holds results of other");
    assert_exits("@ run --adopt --output %/r %/x.yaml 2>&1", 0, "1 cell measured");
}

/* Exact laws where that takes no hours; else the reason. */
TEST(laws_of_few_points)
{
    static const struct {
        size_t rows, columns;
        const char *refused; /* NULL: supported */
    } cases[] = {{300, 1, NULL},
                 {301, 1, "the law of 301 points in 1 coordinates"},
                 {32, 2, NULL},
                 {33, 2, "the law of 33 points in 2 coordinates"},
                 {2, 100, NULL},
                 {1, 5, NULL},
                 {10, 3, "no exact engine for 10 points with isotropic"}};
    double data[400];
    random_normals((struct random_block){random_key_of(3, 1), 0, 0, 0, 1, 0, COUNT(data), 1}, data);
    for (int i = 0; i < COUNT(cases); i++) {
        const struct target target = points_target(cases[i].rows, cases[i].columns, data, 0.1);
        if (cases[i].refused == NULL)
            ASSERT_OK(measure_supports, &target, sampler_find("ddpm"), NULL, cases[i].columns);
        else
            ASSERT_FAILS(STATUS_UNSUPPORTED, cases[i].refused, measure_supports, &target, sampler_find("ddpm"), NULL,
                         cases[i].columns);
    }
}

/* Data often has equal points, which make one component of the mixture. */
TEST(equal_points_are_told_from_distinct_ones)
{
    const double data[] = {0.0, 1.0, 2.0, 3.0, 1.0, 0.0, 0.0, 1.0, 2.0, -1.0, 2.0, 0.5, 0.0, 0.0, -2.0};
    const struct target target = points_target(5, 3, data, 0.1);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "for 5 points (4 distinct) with", measure_supports, &target,
                 sampler_find("ddpm"), NULL, 3);
}

/* ---- Memorised chains. ---- */

/* With exact scores and early stopping nearly all chains end at a data point, as draws do; of a density of their
 * width, fewer; and of two samplers, one that stops early at much noise is away from all points but by chance. */
TEST(memorised_chains)
{
    enum { POINTS = 40, D = 8, CHAINS = 2000 };
    static const struct {
        double bandwidth, distance, least, most;
    } cases[] = {{0.0, 0.0, 0.98, 1.0}, {0.3, 0.0, 0.0, 0.02}, {0.3, 1e3, 1.0, 1.0}, {0.3, 0.3 * 2.710, 0.45, 0.55}};
    double data[POINTS * D];
    random_normals((struct random_block){random_key_of(3, 1), 0, 0, 0, 1, 0, POINTS * D, 1}, data);
    OWNED_SCHEDULE *schedule = make_schedule_from("exponential start 1e-4 delta 1e-6", 400);
    for (int i = 0; i < COUNT(cases); i++) {
        const struct target target = points_target(POINTS, D, data, cases[i].bandwidth);
        OWNED(factor_list) list;
        struct estimates found;
        ASSERT_OK(target_coordinates, &target, D, &list);
        struct chain_problem problem = make_chains(&list, sampler_find("ddpm"), schedule, 1, 5);
        problem.is_data = true;
        problem.memorised_distance = cases[i].distance;
        ASSERT_OK(sample_measure, &problem, CHAINS, 0, 1u << 5, &found);
        const double share = found.memorised.value, smoothed = (CHAINS * share + 1.0) / (CHAINS + 2.0);
        ck_assert_msg(share >= cases[i].least && share <= cases[i].most, "case %d: %g +- %g", i, share,
                      found.memorised.error);
        ck_assert_double_eq_tol(found.memorised.error, sqrt(smoothed * (1.0 - smoothed) / CHAINS), 1e-12);
        if (cases[i].distance > 0.0)
            ck_assert_double_eq(found.memorised_distance, cases[i].distance);
    }
}

/* The standard distance from all pairs, coinciding points left out. */
TEST(standard_distance)
{
    enum { POINTS = 5 };
    static const double data[] = {0.0, 0.0, 3.0, 4.0, 3.0, 4.0, 0.0, 1.0, 3.0, 6.0};
    const struct target target = points_target(POINTS, 2, data, 0.0);
    const struct level level = {0.99, 0.01};
    OWNED(factor_list) list;
    ASSERT_OK(target_factors, &target, 2, &list);
    /* of the points to their nearest: 1, 2, 2, 1, 2 */
    ck_assert_double_eq_tol(memorised_distance(&list.group[0].factor, &level),
                            0.1 * 2.0 * sqrt(0.99) + 0.1 * (sqrt(2.0) + 3.0), 1e-14);
}

/* Of 511 points, most of which are 3 apart and the first 200 only 1, also where 256 of them stand for all. */
TEST(standard_distance_of_a_long_file)
{
    enum { POINTS = 511, NEAR = 200 };
    double data[POINTS];
    for (int i = 0; i < POINTS; i++)
        data[i] = i < NEAR ? i : NEAR + 3.0 * (i - NEAR);
    const struct target target = points_target(POINTS, 1, data, 0.0);
    OWNED(factor_list) list;
    ASSERT_OK(target_factors, &target, 1, &list);
    ck_assert_double_eq_tol(memorised_distance(&list.group[0].factor, &(struct level){1.0, 0.0}), 0.3, 1e-14);
}

/* Chains end at sqrt(A) x_i: within 0.1 of one or not. */
TEST(chains_are_near_points_at_their_level)
{
    enum { POINTS = 4 };
    static const double data[] = {2.0, 0.0, 0.0, 4.0, 6.0, 8.0, -2.0, 2.0};
    double at[] = {1.0, 0.0, 3.09, 2.0, /* then the second coordinates */ 0.0, 2.11, 4.0, 0.0};
    const struct target target = points_target(POINTS, 2, data, 0.0);
    const struct points y = {.n = 4, .dimension = 2, .x = at};
    OWNED(factor_list) list;
    struct estimate share;
    ASSERT_OK(target_factors, &target, 2, &list);
    ASSERT_OK(memorised_share, &list.group[0].factor, &(struct level){0.25, 0.75}, 0.1, &y, 1, &share);
    ck_assert_double_eq(share.value, 0.5); /* the first, and the third by 0.09 */
}

TEST(memorised_is_a_column)
{
    write_files();
    write_spec("x.csv", COLUMNS);
    ck_assert_int_eq(shell("sed -i 's/methods: .*/methods: [memorised]}/; s/32/64/' %/x.yaml"), 0);
    assert_exits("@ run %/x.yaml -o %/r 2>&1 && head -n 1 %/r/x/cells.csv", 0, "memorised_distance");
    const struct result result = load_result("r/x/x.h5");
    ck_assert_uint_eq(result.count, 1);
    ck_assert_double_gt(result.rows[0].estimates.memorised.value, 0.9);
    result_free((struct result *)&result);
    ck_assert_int_eq(shell("sed -i 's/methods/distance: 1e-9, methods/' %/x.yaml"), 0);
    assert_exits("@ measure %/x.yaml 2>&1", 0, "0.000e+00 +- 8e-03");
    ck_assert_int_eq(shell("sed -i 's/kind: points, file: x.csv/kind: gaussian, variance: 1/' %/x.yaml"), 0);
    assert_exits("@ measure %/x.yaml 2>&1", 2, "'distance' is that of chains to data points");
}
