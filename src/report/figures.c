#include "report/figures.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "report/figure_data.h"
#include "report/gnuplot.h"

const struct figure figures[] = {
    {"tv-steps", TOPIC_DIVERGENCES,
     "TV between the law of the sampler's output and its target against the number of steps T, in the smallest "
     "dimension, one panel a target. Points are exact values. [The thin black line is the power of the step size h = "
     "c1 log(T)/T fitted over its length, the largest T in that dimension, and the key states its exponent. ]Steeper "
     "is better: where TV falls like h, ten times the accuracy costs about ten times the steps; where it falls like "
     "h², about three times.",
     &figure_tv_steps},
    {"column-steps", TOPIC_DIVERGENCES,
     "What claims of the experiment are about besides TV, of the exact laws, against the number of steps T, in the "
     "smallest dimension, one panel a target and a quantity. Points[, the thin black line and the exponents] are as "
     "in "
     "the figure of TV.",
     &figure_column_steps},
    {"complexity-accuracy", TOPIC_ACCURACY,
     "Steps needed for TV ≤ ε, T(d, ε), against 1/ε, one panel a target. Filled points: the smallest dimension; open "
     "points: the largest with a curve to show. Grey: how the proven bounds grow, d/ε for ddpm and d^(5/4)/√ε for "
     "accelerated, including the factor log T that Õ hides, and the bounds that the experiment states, scaled to "
     "pass through the first found point of that sampler in the smallest dimension; the bound holds as long as its "
     "sampler grows no faster. [The key states the exponent of T/log T in 1/ε fitted over all dimensions. ]△: more "
     "steps than the largest T measured, drawn above it, one row a curve. ▽: met at the smallest admissible T "
     "already, so T(d, ε) is at most that.",
     &figure_complexity_accuracy},
    {"complexity-dimension", TOPIC_DIMENSION,
     "Steps needed for TV ≤ ε, T(d, ε), against the dimension d, one panel a target, at the ε ≤ 0.1 for which T(d, "
     "ε) was found most often. Grey: how the proven bounds grow, d for ddpm and d^(5/4) for accelerated, including "
     "the factor log T that Õ hides, and the bounds that the experiment states, scaled to pass through the first "
     "found point of that sampler; a sampler that grows more slowly leaves its bound slack. [The key states the "
     "exponent of T/log T in d fitted over all ε in the window. ]△: more steps than the largest T measured, drawn "
     "above it, one row a sampler. ▽: met at the smallest admissible T already, so T(d, ε) is at most that.",
     &figure_complexity_dimension},
    {"parameter", TOPIC_DIVERGENCES,
     "TV against the first parameter that the experiment gives as a list of numbers, one panel a target in the "
     "smallest "
     "and the largest dimension, at the largest T (a power of two) at which the most values have an exact law.",
     &figure_parameter},
    {"codewords", TOPIC_DIMENSION,
     "The relative error of a codeword's mass, |m_1|, against η = K h d, with h the step in log-SNR where paths "
     "condense onto a codeword, one panel a codebook. Colours are samplers; lines the limit law d → ∞ at fixed η "
     "(one for all samplers of first order), whose slope as η → 0 is the sampler's order; symbols dimensions, the "
     "lighter the smaller. Filled: planted laws, with their radius. Open: real codebooks, m_1 from the codewords' "
     "mass Q by Q = 1 - (1-w)^(1+m_1), with bars of two standard errors. +: the codewords get too much mass, "
     "elsewhere too little. ↓: not significantly different from 0; the arrow starts at the upper end of the bar. An "
     "error that is a function of η = K h d alone means steps in proportion to d.",
     &figure_codewords},
    {"speedup", TOPIC_ACCELERATION,
     "How many times fewer steps the accelerated sampler needs than ddpm for TV ≤ ε, against 1/ε, one panel a "
     "target, in up to three dimensions. Filled points, solid lines: ratio of steps; open points, dashed lines: "
     "ratio of score evaluations, of which an accelerated step takes two. Acceleration pays above the horizontal "
     "line at 1. Grey: growth like 1/√ε, as the ratio of the two proven bounds, through the first point of the "
     "smallest dimension.",
     &figure_speedup},
    {"roughness", TOPIC_ERROR_ROUGHNESS,
     "How much a score error of a given L2 size costs, C = effect/(ε_score √log T), against its roughness ω, one "
     "panel a target. The effect is the TV between the sampler's laws with and without the error. Solid lines: "
     "samplers with noise, of which the theorem promises that C does not grow; dashed lines: deterministic samplers. "
     "[The key states the exponent of C in ω, fitted over all sizes, T and d. ]Shown are the largest T, the smallest "
     "dimension, the first kind of rough error in the experiment (the foot counts the others) and the size ε_score "
     "with the most cells inside the window, of several the largest. Cells outside it (an effect above 0.1 or not "
     "known to a thousandth) are left out.",
     &figure_roughness},
    {"score-error", TOPIC_ERROR_SIZE,
     "What a score error does, the TV between the sampler's laws with and without it, against its size ε_score, one "
     "panel a target, at the largest T in the smallest dimension. Colours are samplers, dashed if deterministic; "
     "symbols are score errors. Grey: proportional to ε_score, as the theorems allow. Of score errors of one shape, "
     "profile and growth the first in the experiment is shown, and at most four in all; the others, as the foot "
     "counts them, are in the report's table. Cells outside the window (an effect above 0.1 or not known to a "
     "thousandth) are left out.",
     &figure_score_error},
    {"error-constant", TOPIC_ERROR_SIZE,
     "C = effect/(ε_score √log T), which the theorems bound by powers of log T, against the number of steps T, in "
     "the smallest dimension, one panel a target. Colours, symbols and what is left out as in the effect against the "
     "size; the number in the key is the size ε_score that is shown of that error, the one with the most cells "
     "inside the window, of several the largest.",
     &figure_error_constant},
    {"empirical", TOPIC_CHAINS,
     "TV as simulated chains show it, against the step size h = c1 log(T)/T, one panel a target and a sampler; "
     "colours are dimensions. Lines: exact laws. Points: what a lower bound from chains says, ● by projections on "
     "directions, ■ by weights of forward paths, with bars of two standard errors. ↓: not significantly above 0; the "
     "arrow "
     "starts two standard errors above the value (or above 0). Along a direction a product shows the TV of one "
     "coordinate, so that the points do not rise with the dimension as the lines do, and what lies below the noise "
     "of the chains, such as most of the accelerated sampler, only an exact law tells. Of several numbers of chains "
     "the largest is shown. Points of one h are set side by side.",
     &figure_empirical},
    {"noise-floor", TOPIC_CHAINS,
     "The smallest TV that each estimator can tell from 0 (by three standard errors) against the number of chains, "
     "at the largest T, with the sampler where it is the smallest. Estimates of KL and χ² stand for the TV that they "
     "allow, √(KL/2) and √χ²/2. Horizontal lines: the exact TV of each sampler there. Dashed: like 1/√chains. "
     "Projections tell from 0 only the TV along a direction, which in a product is less than TV. To see a TV a "
     "hundred times smaller takes ten thousand times the chains; exact laws need none.",
     &figure_noise_floor},
    {"bias", TOPIC_CHAINS,
     "What the estimators say over what is exact, against the dimension d, at the largest number of chains; each at "
     "the T in the key, where it tells most. 1 is right for an estimate, a bound above (TV ≤) or below (TV ≥) it is "
     "slack by that factor. Left out, and named below, is where nothing is significantly above 0. Bars: two standard "
     "errors. "
     "↓: not significantly above 0, drawn from two standard errors above the value (or above 0). Projections see "
     "less and less "
     "of a product in high dimension, and the path bound, pinsker_tv, is far too large wherever it is drawn.",
     &figure_bias},
    {"path-kl", TOPIC_CHAINS,
     "Upper bounds of TV from weights of forward paths against the number of steps T, one panel a target and a "
     "sampler; colours are dimensions. ▲: Pinsker's inequality applied to the KL of the whole paths. ◆: √χ²/2 of the "
     "outputs alone, where enough paths are effective, with bars of two standard errors, or ↓ where it is not "
     "significantly above 0. Lines: exact TV. Dashed: like 1/√T, dotted: like log(T)/√T, through the first point: "
     "the paths' KL "
     "falls only like d/T, up to logarithms, whatever the sampler, so that a bound by way of it can show no better "
     "rate than √(d/T). Above the line at 1 a bound says nothing.",
     &figure_path_kl},
    {"atlas", TOPIC_ORDERS,
     "TV against the number of score evaluations, T - 1 times those of a step, of every sampler in the smallest "
     "dimension, one panel a target. Colours are claimed orders (grey: no claim), symbols samplers of one order, "
     "dashed lines deterministic samplers. [The key states the power of h fitted at the largest T in that dimension. "
     "]"
     "Open symbols: TV known to less than a thousandth, which no fit uses; ▽: TV below its error radius, which is "
     "drawn. The lowest curve at a number of score evaluations is the cheapest sampler there.",
     &figure_atlas},
    {NULL, NO_TOPIC, NULL, NULL}};
enum { FIGURES = sizeof figures / sizeof figures[0] - 1 };

struct path {
    char text[PATH_MAX + 100];
};

static struct path beside(const struct evidence *evidence, const struct figure *figure, const char *ending)
{
    struct path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%s.%s", evidence->directory, figure->name, ending);
    return path;
}

/* Takes what was printed, also after an error. */
static enum status keep_printed(FILE *stream, struct bytes *printed, const char *path, enum status before,
                                struct error *error)
{
    int bad = stream == NULL || ferror(stream);
    bad |= stream != NULL && fclose(stream) != 0;
    enum status status = before != STATUS_OK ? before
                         : bad               ? fail_with(error, STATUS_MEMORY, "out of memory for %s", path)
                                             : file_replace(path, printed, error);
    free(printed->data);
    return status;
}

/* The rows of each panel that is drawn, as the data block $panel_N of gnuplot. Rows of a panel, whose number is the
 * first column, follow each other. */
static void put_blocks(const char *table, size_t shown, FILE *vars)
{
    const size_t header = strcspn(table, "\n");
    size_t open = 0;
    for (const char *line = table + header + 1; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const size_t panel = strtoull(line, NULL, 10);
        if (panel > shown)
            break;
        if (panel != open)
            fprintf(vars, "%s$panel_%zu << END\n%.*s\n", open > 0 ? "END\n" : "", panel, (int)header, table);
        open = panel;
        fprintf(vars, "%.*s\n", (int)strcspn(line, "\n"), line);
    }
    fputs(open > 0 ? "END\n" : "", vars);
}

/* Nothing is written of a figure without panels. */
static enum status write_data(const struct evidence *evidence, size_t index, size_t *panels, struct error *error)
{
    const struct path table = beside(evidence, &figures[index], "tsv");
    const struct path vars = beside(evidence, &figures[index], "vars.gp");
    struct bytes rows = {NULL, 0}, settings = {NULL, 0};
    struct sheet sheet = {.table = open_memstream(&rows.data, &rows.length),
                          .vars = open_memstream(&settings.data, &settings.length)};
    enum status status = sheet.table != NULL && sheet.vars != NULL
                             ? figure_collect(figures[index].source, evidence, &sheet, error)
                             : fail_with(error, STATUS_MEMORY, "out of memory for %s", table.text);
    *panels = sheet.panels;
    if (status == STATUS_OK && sheet.panels > 0 && fflush(sheet.table) == 0)
        put_blocks(rows.data, sheet.shown, sheet.vars);
    if (status == STATUS_OK && sheet.panels > 0) {
        status = keep_printed(sheet.table, &rows, table.text, status, error);
        return keep_printed(sheet.vars, &settings, vars.text, status, error);
    }
    if (sheet.table != NULL)
        (void)fclose(sheet.table);
    if (sheet.vars != NULL)
        (void)fclose(sheet.vars);
    free(rows.data);
    free(settings.data);
    return status;
}

/* Also drawings of an earlier run: a figure that is left out now must not stay in the report. */
static void remove_figure(const struct evidence *evidence, const struct figure *figure)
{
    static const char *const endings[] = {"tsv", "vars.gp", "svg", "png"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        (void)unlink(beside(evidence, figure, endings[i]).text);
}

/* scripts NULL: they were not found, and only data is written. */
static enum status start(const struct evidence *evidence, size_t index, const char *scripts, struct drawing *out,
                         struct error *error)
{
    size_t panels = 0;
    enum status status = write_data(evidence, index, &panels, error);
    if (status == STATUS_OK && panels > 0 && scripts != NULL)
        status = gnuplot_start(scripts, out, error);
    if (panels == 0)
        remove_figure(evidence, &figures[index]);
    for (size_t i = 0; i < IMAGES && out->child == 0; i++)
        (void)unlink(beside(evidence, &figures[index], gnuplot_images[i]).text);
    return status;
}

/* All at once; each takes a fraction of a second, most of it for gnuplot to begin. The data of all are written also
 * where gnuplot fails, which is reported of the first. */
enum status figures_draw(const struct evidence *evidence, struct error *error)
{
    struct path scripts;
    struct drawing drawings[FIGURES] = {{.child = 0}};
    struct error ignored;
    enum status first = gnuplot_scripts(scripts.text, sizeof scripts.text, error);
    const char *found = first == STATUS_OK ? scripts.text : NULL;
    for (size_t i = 0; i < FIGURES; i++) {
        drawings[i] =
            (struct drawing){.directory = evidence->directory, .script = figures[i].name, .name = figures[i].name};
        enum status status = start(evidence, i, found, &drawings[i], first == STATUS_OK ? error : &ignored);
        first = first == STATUS_OK ? status : first;
    }
    for (size_t i = 0; i < FIGURES; i++) {
        enum status status = gnuplot_finish(&drawings[i], first == STATUS_OK ? error : &ignored);
        first = first == STATUS_OK ? status : first;
    }
    return first;
}
