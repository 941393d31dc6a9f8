using System.Numerics;

namespace PaDiM.Core.Evaluation;

/// <summary>
/// The distinct scores of anomalous pixels, in order. Floats of at least 0 have the same order as their bits, so a
/// score is one bit in a table of all floats, and its rank is the number of bits set below it: one look-up, however
/// many scores there are. Scores of one data set span a few powers of two, which take at most 2 MiB each.
/// </summary>
internal sealed class ScoreRanks
{
    /// <summary>A page has the 2^16 floats that share the upper half of their bits.</summary>
    private const int PageCount = 1 << 15,
        WordsPerPage = 1 << 10;

    private readonly ulong[]?[] _marks = new ulong[PageCount][];
    private readonly Page[] _pages = new Page[PageCount];
    private Word[] _words = [];

    /// <summary>Gets the number of distinct scores, after <see cref="Freeze"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Adds scores. Thread-safe.</summary>
    public void Add(ReadOnlySpan<float> scores)
    {
        foreach (var score in scores)
        {
            var bits = ToBits(score);
            ref var page = ref _marks[bits >> 16];
            if (page is null)
                Interlocked.CompareExchange(ref page, new ulong[WordsPerPage], null);
            ref var word = ref page[(bits >> 6) & (WordsPerPage - 1)];
            var mark = 1UL << (int)bits;
            if ((Volatile.Read(ref word) & mark) == 0)
                Interlocked.Or(ref word, mark);
        }
    }

    /// <summary>Counts the ranks, once all scores are added.</summary>
    public void Freeze()
    {
        _words = new Word[_marks.Count(page => page is not null) * WordsPerPage];
        var at = 0;
        for (var p = 0; p < PageCount; p++)
        {
            _pages[p] = new Page(_marks[p] is null ? -1 : at, Count);
            foreach (var word in _marks[p] ?? [])
            {
                _words[at++] = new Word(word, Count);
                Count += BitOperations.PopCount(word);
            }
            _marks[p] = null;
        }
    }

    /// <summary>
    /// Finds the place of a score: <c>2 r + 1</c> if it has rank r, <c>2 r</c> if it is between the scores of ranks r -
    /// 1 and r.
    /// </summary>
    public long FindPlace(float score)
    {
        var bits = ToBits(score);
        var page = _pages[bits >> 16];
        if (page.Start < 0)
            return 2L * page.Below;
        var word = _words[page.Start + ((bits >> 6) & (WordsPerPage - 1))];
        var mark = 1UL << (int)bits;
        return 2L * (word.Below + BitOperations.PopCount(word.Marks & (mark - 1))) + ((word.Marks & mark) == 0 ? 0 : 1);
    }

    /// <summary>
    /// Gets the bits of a score of at least 0. The sum turns -0, whose bits have another order, into 0.
    /// </summary>
    private static uint ToBits(float score) => BitConverter.SingleToUInt32Bits(score + 0f);

    /// <param name="Start">Index of the first word, or -1 for a page without scores.</param>
    /// <param name="Below">Number of scores below the page.</param>
    private readonly record struct Page(int Start, int Below);

    /// <param name="Marks">One bit for each of 64 consecutive floats.</param>
    /// <param name="Below">Number of scores below the first of them.</param>
    private readonly record struct Word(ulong Marks, int Below);
}
