using System.Numerics;

namespace PaDiM.Core.Evaluation;

/// <summary>
/// The different scores of anomalous pixels, in order. A float of at least 0 orders as its bits do, so a score is one
/// bit of a table that all floats would fill, and its rank is the number of bits set below it: finding it is one
/// look-up however many scores there are. Scores of one data set lie within a few powers of two, of which each takes at
/// most 2 MiB.
/// </summary>
internal sealed class ScoreRanks
{
    /// <summary>Pages of 2^16 floats: those that share the upper half of their bits.</summary>
    private const int PageCount = 1 << 15,
        WordsPerPage = 1 << 10;

    private readonly ulong[]?[] _marks = new ulong[PageCount][];
    private readonly Page[] _pages = new Page[PageCount];
    private Word[] _words = [];

    /// <summary>How many different scores there are, after <see cref="Freeze"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Takes scores in; may be called from several threads.</summary>
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

    /// <summary>Counts the ranks, once all scores are in.</summary>
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
    /// Where a score lies: <c>2 r + 1</c> if it is the one of rank r, <c>2 r</c> if it lies below that and above the
    /// one of rank r - 1.
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

    /// <summary>Of a score of at least 0; the sum turns -0, whose bits order differently, into 0.</summary>
    private static uint ToBits(float score) => BitConverter.SingleToUInt32Bits(score + 0f);

    /// <param name="Start">Its first word, or -1 if no score lies in it.</param>
    /// <param name="Below">How many scores lie below it.</param>
    private readonly record struct Page(int Start, int Below);

    /// <param name="Marks">A bit for each of 64 neighbouring floats.</param>
    /// <param name="Below">How many scores lie below the first.</param>
    private readonly record struct Word(ulong Marks, int Below);
}
