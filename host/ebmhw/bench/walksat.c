/* WalkSAT with the SKC rule (Selman, Kautz, Cohen 1994), the peer of `ebmhw bench` for satisfiability.
 *
 *     walksat FILE.cnf NOISE SEED SECONDS
 *
 * prints "best UNSATISFIED flips FLIPS" and a line "v" with the literals of the best assignment. It stops when every clause holds or after so
 * many CPU seconds. Status 0, or 2 where the file or an argument is wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t state;

static uint64_t draw(void) { /* splitmix64 */
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint32_t below(uint32_t limit) { return (uint32_t)(((draw() >> 32) * limit) >> 32); }

static void *room(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) {
        fputs("walksat: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

static void wrong(const char *what) {
    fprintf(stderr, "walksat: %s\n", what);
    exit(2);
}

static int n, m;
static int *start;     /* (m + 1): where each clause's literals begin; a literal is 2 variable + (1 if negated) */
static int *literal;
static int *first;     /* (2 n + 1): where each literal's clauses begin */
static int *holds;     /* the clauses that hold each literal */
static char *truth;    /* (n) */
static int *satisfied; /* (m): true literals of each clause */
static int *keeper;    /* (m): XOR of the variables of its true literals; the only one where satisfied is 1 */
static int *breaks;    /* (n): clauses that a flip would break */
static int *broken;    /* the unsatisfied clauses, and where in that list each one is */
static int *place;
static int count;

static void read_formula(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) wrong("cannot open the formula");
    char line[256];
    n = -1;
    while (fgets(line, sizeof line, file)) {
        if (line[0] == 'p') {
            if (sscanf(line, "p cnf %d %d", &n, &m) != 2) n = -1;
            break;
        }
    }
    if (n < 1 || m < 0) wrong("no line 'p cnf VARIABLES CLAUSES'");
    size_t room_for = 4 * (size_t)m + 16, used = 0;
    start = room((size_t)m + 1, sizeof *start);
    literal = room(room_for, sizeof *literal);
    for (int clause = 0; clause < m; clause++) {
        start[clause] = (int)used;
        for (;;) {
            int value;
            if (fscanf(file, "%d", &value) != 1) wrong("the file ends within a clause");
            if (value == 0) break;
            if (value > n || value < -n) wrong("a literal names a variable beyond the header");
            if (used == room_for) {
                room_for *= 2;
                literal = realloc(literal, room_for * sizeof *literal);
                if (!literal) wrong("out of memory");
            }
            int coded = 2 * (abs(value) - 1) + (value < 0), at = start[clause];
            while (at < (int)used && literal[at] != coded) at++;
            if (at == (int)used) literal[used++] = coded; /* keeper[] needs each literal once */
        }
        if ((int)used == start[clause]) wrong("an empty clause");
    }
    start[m] = (int)used;
    fclose(file);
}

static void index_literals(void) {
    first = room(2 * (size_t)n + 1, sizeof *first);
    holds = room((size_t)start[m], sizeof *holds);
    for (int k = 0; k < start[m]; k++) first[literal[k] + 1]++;
    for (int l = 0; l < 2 * n; l++) first[l + 1] += first[l];
    int *next = room(2 * (size_t)n, sizeof *next);
    memcpy(next, first, 2 * (size_t)n * sizeof *next);
    for (int clause = 0; clause < m; clause++)
        for (int k = start[clause]; k < start[clause + 1]; k++) holds[next[literal[k]]++] = clause;
    free(next);
}

static void append(int clause) {
    place[clause] = count;
    broken[count++] = clause;
}

static void withdraw(int clause) {
    int last = broken[--count];
    broken[place[clause]] = last;
    place[last] = place[clause];
}

static void begin(void) {
    truth = room((size_t)n, 1);
    satisfied = room((size_t)m, sizeof(int));
    keeper = room((size_t)m, sizeof(int));
    breaks = room((size_t)n, sizeof(int));
    broken = room((size_t)m, sizeof(int));
    place = room((size_t)m, sizeof(int));
    for (int v = 0; v < n; v++) truth[v] = (char)(draw() >> 63);
    for (int clause = 0; clause < m; clause++) {
        for (int k = start[clause]; k < start[clause + 1]; k++)
            if (truth[literal[k] >> 1] != (literal[k] & 1)) {
                satisfied[clause]++;
                keeper[clause] ^= literal[k] >> 1;
            }
        if (satisfied[clause] == 0) append(clause);
        if (satisfied[clause] == 1) breaks[keeper[clause]]++;
    }
}

static void flip(int v) {
    int now_false = 2 * v + (truth[v] ? 0 : 1), now_true = now_false ^ 1;
    truth[v] ^= 1;
    for (int k = first[now_false]; k < first[now_false + 1]; k++) {
        int clause = holds[k];
        keeper[clause] ^= v;
        switch (--satisfied[clause]) {
        case 0:
            append(clause);
            breaks[v]--;
            break;
        case 1:
            breaks[keeper[clause]]++;
        }
    }
    for (int k = first[now_true]; k < first[now_true + 1]; k++) {
        int clause = holds[k];
        switch (++satisfied[clause]) {
        case 1:
            withdraw(clause);
            breaks[v]++;
            break;
        case 2:
            breaks[keeper[clause]]--;
        }
        keeper[clause] ^= v;
    }
}

static int choose(double noise) {
    int clause = broken[below((uint32_t)count)], ties = 0, best = m + 1, chosen = 0;
    for (int k = start[clause]; k < start[clause + 1]; k++) {
        int v = literal[k] >> 1;
        if (breaks[v] < best) {
            best = breaks[v];
            ties = 0;
        }
        if (breaks[v] == best && below((uint32_t)++ties) == 0) chosen = v;
    }
    /* A variable that breaks nothing is always taken, else a random one with the probability of the noise. */
    if (best > 0 && (double)(draw() >> 11) * 0x1p-53 < noise)
        chosen = literal[start[clause] + (int)below((uint32_t)(start[clause + 1] - start[clause]))] >> 1;
    return chosen;
}

int main(int argc, char **argv) {
    if (argc != 5) wrong("usage: walksat FILE.cnf NOISE SEED SECONDS");
    double noise = atof(argv[2]), seconds = atof(argv[4]);
    state = strtoull(argv[3], NULL, 10);
    read_formula(argv[1]);
    index_literals();
    begin();
    char *kept = room((size_t)n, 1);
    int best = count;
    unsigned long long flips = 0;
    memcpy(kept, truth, (size_t)n);
    while (count > 0) {
        if ((flips & 1023) == 0 && (double)clock() / CLOCKS_PER_SEC >= seconds) break;
        flip(choose(noise));
        flips++;
        if (count < best) {
            best = count;
            memcpy(kept, truth, (size_t)n);
        }
    }
    printf("best %d flips %llu\nv", best, flips);
    for (int v = 0; v < n; v++) printf(" %d", kept[v] ? v + 1 : -(v + 1));
    printf(" 0\n");
    return 0;
}
