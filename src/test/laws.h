/* What tests of laws begin with: schedules, score errors, laws by a given engine and their divergences. Whatever goes
 * wrong fails the running test. */
#ifndef TEST_LAWS_H
#define TEST_LAWS_H

#include "law/divergence.h"
#include "law/law.h"
#include "model/schedule.h"
#include "model/score_error.h"
#include "model/target.h"
#include "sample/chains.h"

struct schedule *make_schedule(const char *kind, double c0, double c1, size_t T); /* for schedule_free() */
/* Of a text KIND KEY VALUE ... KEY VALUE; a `table` has TABLE_SIZE numbers unless it is given others. */
enum { TABLE_SIZE = 12 };
extern const double table_sigmas[TABLE_SIZE], table_alpha_bars[TABLE_SIZE];
/* One of every kind, of moderate levels at some fifty steps; ends with NULL. */
extern const char *const schedule_texts[];
const struct schedule_kind *schedule_values(const char *text, union params *values);
struct schedule *make_schedule_from(const char *text, size_t T);
struct schedule *make_li_cai(size_t T); /* c0 = 2, c1 = 8.5 */

double li_cai_step_size(double c1, size_t T); /* h = c1 log(T)/T */

/* Uniform in time; a parameter that the shape does not have is ignored. */
struct score_error make_error(const char *shape, double size, double roughness, double probability);
void set_error_param(struct score_error *error, const char *key, double value);
/* The shape's parameter of that key, a real or an integer; NaN where it has none. */
double error_param(const struct score_error *error, const char *key);

/* A planted increment: D = (1 - alpha) s_{t-1}(x), the score of level t-1 at the point of level t, which does not
 * commute with shifts. */
void off_by_one(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                double *work);

/* So many copies of a factor alone, for factor_list_free(). */
struct factor_list list_of(const struct factor *factor, double multiplicity);

/* Chains of all factors of the list, by exact scores, in two threads. */
struct chain_problem make_chains(const struct factor_list *list, const struct sampler *sampler,
                                 const struct schedule *schedule, uint64_t seed, uint64_t stream);

int sampler_count(void); /* of those without memory, which come first */

const struct law_engine *engine_called(const char *name);

/* The law by an engine and its mass defect, as law_compute does it, but at one resolution; may fail. */
MUST_USE enum status compute_by(const struct law_engine *engine, const struct law_problem *problem, double resolution,
                                struct law *out, struct error *error);

/* Two results are known and equal within the sum of their radii, or both infinite. */
void assert_agree(struct measured a, struct measured b, const char *what, const char *where);
/* The same, each radius being less than such a part of its value. */
void assert_sharp(struct measured a, struct measured b, double relative, const char *what, const char *where);
/* So are TV and, of the other divergences, those that are known in both. */
void assert_all_agree(const struct divergence *a, const struct divergence *b, const char *where);

/* Of so many copies of a law. */
struct divergence divergences_of(const struct law *law, double multiplicity);

#endif
