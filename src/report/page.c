/* The report as a page of one file: nothing is fetched, no script runs, and what others wrote is text. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "report/density_figure.h"
#include "report/explain.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/tables.h"
#include "verdict/account.h"

/* Claims and figures of one topic stand together; those of none come last. */
static const char *const headings[TOPICS] = {
    [TOPIC_ACCURACY] = "Steps against accuracy",
    [TOPIC_DIMENSION] = "Steps against dimension",
    [TOPIC_ACCELERATION] = "What acceleration gains",
    [TOPIC_DIVERGENCES] = "Divergences against steps",
    [TOPIC_ERROR_SIZE] = "What the size of a score error costs",
    [TOPIC_ERROR_ROUGHNESS] = "What the roughness of a score error costs",
    [TOPIC_CHAINS] = "Chains against exact laws",
    [TOPIC_ORDERS] = "Every sampler's order",
};

/* A page being written. */
struct page {
    const struct evidence *evidence;
    const struct tables *tables;
    FILE *file;
};

static void put(const struct page *page, const char *text)
{
    html_words(page->file, text);
}

static void put_element(const struct page *page, const char *tag, const char *text)
{
    fprintf(page->file, "<%s>", tag);
    put(page, text);
    fprintf(page->file, "</%s>\n", tag);
}

/* ---- Verdicts ---- */

/* What follows from a verdict. */
static const char *const consequences[] = {
    [OUTCOME_NOT_CLAIMED] = "the claim is not about this",
    [OUTCOME_NOT_JUDGED] = "no exact law is known that it could be judged by",
    [OUTCOME_NOT_TIGHT] =
        "nothing speaks against the claim; the bound is not reached, so whether it is sharp stays open",
    [OUTCOME_SUPPORTED] = "nothing speaks against the claim",
    [OUTCOME_INCONCLUSIVE] = "nothing follows",
    [OUTCOME_REFUTED] = "the claim does not hold here",
};

/* The findings of the claim whose first one has this index: a target each, the overall one after them. */
static size_t targets_of(const struct page *page)
{
    return page->evidence->manifest.target_count;
}

static const struct finding *overall_of(const struct page *page, size_t first)
{
    return &page->tables->findings[first + targets_of(page)];
}

/* The first finding of the next claim after `first`, or the number of findings. */
static size_t next_claim(const struct page *page, size_t first)
{
    return first + targets_of(page) + 1;
}

static void put_summary(const struct page *page)
{
    static const enum finding_column columns[] = {FINDING_CLAIM, FINDING_VERDICT,   FINDING_MEASURED,
                                                  FINDING_LIMIT, FINDING_PREDICTED, FINDING_STATEMENT};
    size_t each = targets_of(page) + 1;
    table_html(tables_findings(page->tables, COLUMNS(columns), each - 1, each, page->tables->count / each),
               page->file);
}

static void put_prediction(const struct page *page, const struct finding *finding)
{
    char predicted[CLAIM_PREDICTION];
    claim_prediction(finding->claim, finding, predicted);
    put(page, predicted);
}

static void put_count(const struct page *page, const char *text, enum outcome from, enum outcome to)
{
    size_t count = 0;
    for (size_t i = 0; i < page->tables->count; i = next_claim(page, i))
        count += overall_of(page, i)->outcome >= from && overall_of(page, i)->outcome <= to;
    fprintf(page->file, "%zu %s", count, text);
}

/* ---- Tables ---- */

static void put_section(const struct page *page, const struct table *table, const struct table_view *view)
{
    if (view->rows == 0 && table->note[0] == '\0')
        return;
    fputs("<section>", page->file);
    put_element(page, "h2", table->title);
    if (view->rows > 0)
        table_html(*view, page->file);
    if (table->note[0] != '\0')
        put_element(page, "p", table->note);
    fputs("</section>\n", page->file);
}

/* ---- How a verdict came about ---- */

static void put_line(void *context, const char *text)
{
    put_element(context, "li", text);
}

/* The cells of a window that share a reason: all of them, or only their number where nobody asks which. */
static void put_reason(const struct page *page, const struct account *account, size_t first)
{
    const struct account_entry *shown = &account->cell[first];
    int named = (shown->use & (CELL_CENSORED | CELL_AT_START)) != 0;
    size_t count = 0;
    for (size_t i = 0; i < account->cells; i++)
        count += account->cell[i].window == shown->window && account->cell[i].reason == shown->reason;
    fprintf(page->file, "<li>%zu not used: ", count);
    put(page, shown->reason);
    for (size_t i = 0, put_before = 0; i < account->cells && named; i++) {
        if (account->cell[i].window != shown->window || account->cell[i].reason != shown->reason)
            continue;
        fputs(put_before++ > 0 ? "; " : " (", page->file);
        put(page, account->cell[i].where);
        if (account->cell[i].measured[0] != '\0') {
            fputs(": ", page->file);
            put(page, account->cell[i].measured);
        }
    }
    fputs(named ? ")</li>\n" : "</li>\n", page->file);
}

static void put_window(const struct page *page, const struct account *account, size_t window)
{
    size_t begin = 0, end, used = 0; /* cells of a window follow each other */
    while (begin < account->cells && account->cell[begin].window != window)
        begin++;
    for (end = begin; end < account->cells && account->cell[end].window == window; end++)
        used += account->cell[end].use == CELL_USED;
    fputs("<p><b>Cells: ", page->file);
    put(page, account->window[window].of);
    fputs(".</b> Window: ", page->file);
    put(page, account->window[window].rule);
    fprintf(page->file, ".</p>\n<ul><li>%zu used</li>\n", used);
    for (size_t i = begin; i < end; i++) {
        bool first = account->cell[i].reason != NULL;
        for (size_t j = begin; j < i && first; j++)
            first = account->cell[j].reason != account->cell[i].reason;
        if (first)
            put_reason(page, account, i);
    }
    fputs("</ul>\n", page->file);
}

static void put_account(struct page *page, const struct finding *finding)
{
    const struct account *account = finding->account;
    char title[JUDGEMENT_TITLE];
    fputs("<details><summary>How the verdict on ", page->file);
    put(page, finding->target);
    fputs(" came about</summary>\n", page->file);
    for (size_t i = 0; i < account->windows; i++)
        put_window(page, account, i);
    for (size_t i = 0; i < account->judgements; i++) {
        const struct judgement *judgement = &account->judgement[i];
        fputs("<p><b>Judged: ", page->file);
        judgement_title(judgement, title);
        put(page, title);
        fputs(".</b></p>\n<ul>", page->file);
        explain_judgement(judgement, put_line, page);
        fputs("</ul>\n", page->file);
    }
    if (account->judgements == 0)
        fputs("<p>Nothing was judged.</p>\n", page->file);
    fputs("</details>\n", page->file);
}

/* ---- Figures ---- */

/* The figure's SVG beside the result; NULL if there is none. */
static FILE *open_image(const struct page *page, const char *name)
{
    char path[4400];
    (void)snprintf(path, sizeof path, "%s/%s.svg", page->evidence->directory, name);
    return fopen(path, "r");
}

static int has_image(const struct page *page, const struct figure *figure)
{
    FILE *svg = open_image(page, figure->name);
    return svg != NULL && fclose(svg) == 0;
}

/* An SVG as an image in the page itself: what lies in the directory may be of anybody, and in an image no script
 * runs. Returns 0 if there is none. */
static int put_image(const struct page *page, const char *name)
{
    static const char plain[] = NAME_CHARACTERS " '()*+,/:;=";
    FILE *svg = open_image(page, name);
    if (svg == NULL)
        return 0;
    fprintf(page->file, "<figure><div class=\"wide\" tabindex=\"0\"><img alt=\"%s\" src=\"data:image/svg+xml,", name);
    for (int c; (c = fgetc(svg)) != EOF;)
        if (c != '\0' && strchr(plain, c) != NULL)
            (void)fputc(c, page->file);
        else
            fprintf(page->file, "%%%02X", (unsigned)c);
    (void)fclose(svg);
    fputs("\"></div>", page->file);
    return 1;
}

static void put_number(const struct page *page, double value, double interval, bool decides)
{
    char text[EXPONENT_TEXT];
    exponent_text(value, interval, text);
    fputs(decides ? "<b>" : "", page->file);
    put(page, text);
    fputs(decides ? "</b>" : "", page->file);
}

/* "0.987 ± 0.004 at the T measured, 1.0000 ± 0.0001 in the limit", or what there is of it. */
static void put_numbers(const struct page *page, const struct finding *finding)
{
    if (finding->measured)
        put_number(page, finding->value, finding->interval, !finding->has_limit);
    if (finding->measured && finding->has_limit)
        fputs(" at the T measured, ", page->file);
    if (finding->has_limit) {
        put_number(page, finding->limit_value, finding->limit_interval, true);
        fputs(" in the limit", page->file);
    }
}

/* "eps-ddpm: measured 0.987 ± 0.004, the claim says ≤ 1: supported." */
static void put_what_it_says(const struct page *page, const struct finding *finding)
{
    char verdict[100];
    finding_verdict(finding, verdict, sizeof verdict);
    fprintf(page->file, "<p><b>%s</b>: %s", finding->claim->name,
            finding_is_known(finding) ? "measured " : "not measured");
    put_numbers(page, finding);
    fputs(", the claim says ", page->file);
    put_prediction(page, finding);
    fputs(": ", page->file);
    put(page, verdict);
    fputs(".</p>\n", page->file);
}

/* Whether a key of the figure states a fitted exponent, by what its script was told. */
static bool has_fits(const struct page *page, const char *name)
{
    char path[4400], line[200];
    (void)snprintf(path, sizeof path, "%s/%s.vars.gp", page->evidence->directory, name);
    FILE *vars = fopen(path, "r");
    bool found = true;
    while (vars != NULL && fgets(line, sizeof line, vars) != NULL)
        found = found && strcmp(line, "fits = 0\n") != 0;
    if (vars != NULL)
        (void)fclose(vars);
    return found;
}

/* Captions say TV of what the accuracies are of, and of fits only where there are any. */
static void put_caption(const struct page *page, const struct figure *figure)
{
    static const char words[] = "TV ≤ ε";
    char caption[2000], text[2000];
    const bool fits = has_fits(page, figure->name);
    bool of_fits = false;
    size_t used = 0;
    for (const char *at = figure->caption; *at != '\0' && used + 1 < sizeof caption; at++)
        if (*at == '[' || *at == ']')
            of_fits = *at == '[';
        else if (fits || !of_fits)
            caption[used++] = *at;
    caption[used] = '\0';
    const char *found = strstr(caption, words);
    if (found == NULL)
        found = caption + strlen(caption);
    (void)snprintf(text, sizeof text, "%.*s%s%s%s", (int)(found - caption), caption,
                   *found != '\0' ? page->evidence->manifest.accuracy_in->label : "", *found != '\0' ? " ≤ ε" : "",
                   *found != '\0' ? found + sizeof words - 1 : "");
    put_element(page, "p", text);
}

static void put_figure(const struct page *page, const struct figure *figure, bool with_claims)
{
    if (!put_image(page, figure->name))
        return;
    fputs("<figcaption>", page->file);
    for (size_t i = 0; i < page->tables->count && with_claims; i = next_claim(page, i))
        if (overall_of(page, i)->claim->topic == figure->topic)
            put_what_it_says(page, overall_of(page, i));
    put_caption(page, figure);
    fputs("</figcaption></figure>\n", page->file);
}

/* ---- Claims ---- */

/* What was measured, what the claim says, what follows. */
static void put_sentences(const struct page *page, size_t first)
{
    const struct finding *finding = overall_of(page, first);
    const struct finding *worst =
        &page->tables->findings[first + claims_worst(&page->tables->findings[first], targets_of(page))];
    fputs("<p>Measured: ", page->file);
    put(page, claim_statistic(finding->claim));
    fputs(finding_is_known(finding) ? ", " : ", without a result", page->file);
    put_numbers(page, finding);
    fputs(targets_of(page) > 1 ? ", on the target that decides, " : ", on ", page->file);
    put(page, worst->target);
    fprintf(page->file, ", from %zu cells. The claim says: <b>", worst->used);
    put_prediction(page, finding);
    fprintf(page->file, "</b>. What follows: %s.</p>\n", consequences[finding->outcome]);
}

/* A row a target, then the overall one if there are several. */
static void put_findings(const struct page *page, size_t first)
{
    static const enum finding_column columns[] = {FINDING_TARGET,   FINDING_VERDICT,  FINDING_MEASURED,
                                                  FINDING_LIMIT,    FINDING_IN_T,     FINDING_USED,
                                                  FINDING_CENSORED, FINDING_AT_START, FINDING_NOTE};
    enum { IN_T = 3 };
    size_t rows = targets_of(page) > 1 ? targets_of(page) + 1 : 1;
    struct table_view view = tables_findings(page->tables, COLUMNS(columns), first, 1, rows);
    view.has_total = rows > 1;
    table_drop_empty(&view, IN_T);
    table_html(view, page->file);
}

static void put_claim(struct page *page, size_t first)
{
    const struct finding *finding = overall_of(page, first);
    const struct claim *claim = finding->claim;
    char verdict[100];
    fprintf(page->file, "<article id=\"claim-%s\"><h3>%s ", claim->name, claim->name);
    finding_verdict(finding, verdict, sizeof verdict);
    html_verdict(page->file, outcome_kind(finding->outcome), verdict);
    fputs("</h3>\n<p class=\"statement\">", page->file);
    put(page, claim->statement);
    fputs(" <cite>", page->file);
    put(page, claim->source);
    fputs("</cite></p>\n", page->file);
    put_sentences(page, first);
    put_findings(page, first);
    for (size_t i = 0; i < targets_of(page); i++)
        put_account(page, &page->tables->findings[first + i]);
    fputs("</article>\n", page->file);
}

static bool has_claim(const struct page *page, enum topic topic)
{
    for (size_t i = 0; i < page->tables->count; i = next_claim(page, i))
        if (overall_of(page, i)->claim->topic == topic)
            return true;
    return false;
}

static void put_claims(struct page *page, enum topic topic)
{
    for (size_t i = 0; i < page->tables->count; i = next_claim(page, i))
        if (overall_of(page, i)->claim->topic == topic)
            put_claim(page, i);
}

static void put_topic(struct page *page, enum topic topic)
{
    if (!has_claim(page, topic))
        return;
    fputs("<section>", page->file);
    put_element(page, "h2", headings[topic]);
    put_claims(page, topic);
    for (const struct figure *figure = figures; figure->name != NULL; figure++)
        if (figure->topic == topic)
            put_figure(page, figure, true);
    fputs("</section>\n", page->file);
}

/* What no topic shows. */
static void put_others(struct page *page)
{
    bool has_heading = false;
    put_claims(page, NO_TOPIC);
    for (const struct figure *figure = figures; figure->name != NULL; figure++) {
        if (has_claim(page, figure->topic) || !has_image(page, figure))
            continue;
        if (!has_heading)
            put_element(page, "h2", "Other figures");
        has_heading = true;
        put_figure(page, figure, false);
    }
}

static int is_density(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return strncmp(entry->d_name, DENSITY_FIGURE, strlen(DENSITY_FIGURE)) == 0 && text_is_name(entry->d_name)
           && length > 4 && strcmp(entry->d_name + length - 4, ".svg") == 0;
}

/* Those that lie there (diffrate density), in the order of their names. */
static void put_densities(const struct page *page)
{
    struct dirent **entries = NULL;
    int count = scandir(page->evidence->directory, &entries, is_density, alphasort);
    for (int i = 0; i < count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - 4] = '\0';
        if (i == 0)
            put_element(page, "h2", "Densities in the plane");
        if (put_image(page, entries[i]->d_name)) {
            fputs("<figcaption>", page->file);
            put_element(page, "p", density_caption);
            fputs("</figcaption></figure>\n", page->file);
        }
        free(entries[i]);
    }
    free(entries);
}

/* ---- What is missing ---- */

static void put_censored(const struct page *page)
{
    fprintf(page->file,
            "<p>T(d, ε) is censored where no T up to %zu reaches ε, and met at the start where the smallest "
            "admissible T already does. Neither enters a fit; the figures draw both (△, ▽).</p>\n",
            page->evidence->manifest.max_steps);
    table_html(table_all(&page->tables->censored), page->file);
}

/* Of lines "cell: reason". */
static void put_reasons(const struct page *page, const char *line)
{
    fputs("<ul class=\"failures\">\n", page->file);
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        char *text = strndup(line, length);
        if (text != NULL)
            put_element(page, "li", text);
        free(text);
        line += length + (line[length] == '\n');
    }
    fputs("</ul>\n", page->file);
}

static void put_failures(const struct page *page)
{
    const struct result *result = &page->evidence->result;
    put_element(page, "h3", "Failed cells");
    if (result->failures[0] == '\0')
        fputs("<p>No cell failed.</p>\n", page->file);
    else
        put_reasons(page, result->failures);
    if (result->refusals[0] == '\0')
        return;
    put_element(page, "h3", "Laws that are not known");
    fputs("<p>Searches for T(d, ε) went around these numbers of steps; where one of them leaves T(d, ε) open, the "
          "table above says so.</p>\n",
          page->file);
    put_reasons(page, result->refusals);
}

/* ---- Where it comes from ---- */

/* The value of a fact among lines "name: value", if it is a name, which alone may go into a command. */
static void fact(const char *provenance, const char *name, char *value, size_t size)
{
    char start[40];
    (void)snprintf(start, sizeof start, "%s: ", name);
    (void)snprintf(value, size, "unknown");
    for (const char *line = provenance; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        line += strlen(start);
        char text[100];
        (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        if (text_is_name(text))
            (void)snprintf(value, size, "%s", text);
        return;
    }
}

static void put_reproduction(const struct page *page)
{
    static const struct {
        const char *command, *after, *what;
    } stored[] = {
        {"verdict", "", "the claims; verdict.md, verdict.tex"},
        {"plot", "", "the figures and their data, NAME.tsv"},
        {"report", "", "this page; cells.csv, the raw numbers"},
        {"explain", " CLAIM", "every cell behind one verdict"},
        {"check", "", "measures a few cells again"},
    };
    const char *name = page->evidence->manifest.name;
    char commit[100], version[100];
    fact(page->evidence->result.provenance, "commit", commit, sizeof commit);
    fact(page->evidence->result.provenance, "version", version, sizeof version);
    fprintf(
        page->file,
        "<p>These numbers are of diffrate %s, commit %s. Save the experiment above as %s.yaml, or copy spec.yaml, "
        "which lies beside this page; results/%s below is the directory of this page. In a clone of diffrate:</p>\n",
        version, commit, name, name);
    fprintf(page->file,
            "<pre>git checkout %s\nmake\nbuild/diffrate run %s.yaml -o again\nbuild/diffrate diff results/%s "
            "again/%s   # do both agree within their radii?</pre>\n<p>From the stored results, without measuring all "
            "again:</p>\n<pre>",
            strcmp(commit, "unknown") == 0 ? "COMMIT" : commit, name, name, name);
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++)
        fprintf(page->file, "build/diffrate %s results/%s%s   # %s\n", stored[i].command, name, stored[i].after,
                stored[i].what);
    fputs("</pre>\n", page->file);
}

void report_html_head(const char *title, bool full_width, FILE *file)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
          "content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" "
          "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<title>",
          file);
    text_put_html(file, title);
    fprintf(file, "</title>\n<style>\n%s</style></head><body%s>\n", report_style,
            full_width ? " class=\"full\"" : "");
}

static void put_head(const struct page *page)
{
    report_html_head(page->evidence->manifest.title, false, page->file);
    fputs("<header><h1>", page->file);
    text_put_html(page->file, page->evidence->manifest.title);
    fputs("</h1>\n", page->file);
    if (page->tables->count > 0) {
        fputs("<p class=\"lead\">Claims: ", page->file);
        put_count(page, "supported, ", OUTCOME_NOT_TIGHT, OUTCOME_SUPPORTED);
        put_count(page, "inconclusive, ", OUTCOME_INCONCLUSIVE, OUTCOME_INCONCLUSIVE);
        put_count(page, "refuted.</p>\n", OUTCOME_REFUTED, OUTCOME_REFUTED);
    }
    fprintf(page->file, "<p class=\"soft\">%s: %zu measurements</p></header>\n", page->evidence->manifest.name,
            page->evidence->result.count);
}

static void put_notes(const struct page *page)
{
    fputs("<h3>How to read this</h3>\n", page->file);
    for (size_t i = 0; tables_note(&page->evidence->manifest, i) != NULL; i++)
        put_element(page, "p", tables_note(&page->evidence->manifest, i));
}

enum status report_html(const struct tables *tables, struct error *error)
{
    struct report_file output;
    const struct evidence *evidence = tables->evidence;
    TRY(report_open(evidence->directory, "report.html", &output, error));
    FILE *file = output.stream;
    struct page page = {evidence, tables, file};
    put_head(&page);
    fputs("<main>\n<section id=\"claims\"><h2>Claims</h2>\n", file);
    if (tables->count > 0)
        put_summary(&page);
    else
        fputs("<p>The experiment tests no claims.</p>\n", file);
    put_notes(&page);
    fputs("</section>\n", file);
    for (enum topic topic = NO_TOPIC + 1; topic < TOPICS; topic++)
        put_topic(&page, topic);
    put_others(&page);
    put_densities(&page);
    for (size_t i = 0; i < tables->sections; i++)
        put_section(&page, &tables->section[i], &tables->shown[i]);
    fputs("<section id=\"missing\"><h2>Censored and failed cells</h2>\n", file);
    if (evidence->manifest.accuracy_count > 0)
        put_censored(&page);
    put_failures(&page);
    fputs("</section>\n<section id=\"experiment\"><h2>The experiment</h2>\n<pre>", file);
    text_put_html(file, evidence->result.spec_text);
    fputs("</pre></section>\n<section id=\"provenance\"><h2>Provenance</h2>\n<pre class=\"prose\">", file);
    text_put_html(file, evidence->result.provenance);
    text_put_html(file, evidence->result.plugins);
    fputs("</pre></section>\n<section id=\"reproduce\"><h2>How to reproduce it</h2>\n", file);
    put_reproduction(&page);
    fputs("</section>\n</main></body></html>\n", file);
    return report_close(&output, STATUS_OK, error);
}
