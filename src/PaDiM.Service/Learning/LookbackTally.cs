using PaDiM.Service.Data;

namespace PaDiM.Service.Learning;

/// <summary>A decision that would be another.</summary>
/// <param name="Key">The key of the inspection.</param>
/// <param name="Score">The score of the version that was tried.</param>
/// <param name="Decision">What the decision would be.</param>
internal sealed record StoredFlip(long Key, double Score, Decision Decision);

/// <summary>Counts what a lookback decides.</summary>
internal sealed class LookbackTally
{
    /// <summary>Flips that are listed; the latest ones.</summary>
    public const int MaxFlips = 10_000;

    private readonly SortedDictionary<DateOnly, LookbackDay> _days = [];
    private readonly Dictionary<(Decision Then, Decision? Now), long> _decisions = [];
    private readonly Queue<StoredFlip> _flips = new();
    private long _scored;

    /// <summary>Gets the latest flips, oldest first.</summary>
    public IReadOnlyCollection<StoredFlip> Flips => _flips;

    /// <summary>Adds an inspection; they come oldest first.</summary>
    /// <param name="row">The inspection.</param>
    /// <param name="score">The score of the version that is tried; null if it is not known.</param>
    /// <param name="decision">The decision that follows from it.</param>
    /// <param name="isScored">Whether the photograph was scored again.</param>
    public void Add(StoredInspection row, double? score, Decision decision, bool isScored)
    {
        var day = DateOnly.FromDateTime(row.At);
        var counted = _days.GetValueOrDefault(day) ?? new LookbackDay(day, 0, 0, 0, 0, 0);
        counted = counted with { Inspections = counted.Inspections + 1 };
        var key = (row.Decision, score is null ? (Decision?)null : decision);
        _decisions[key] = _decisions.GetValueOrDefault(key) + 1;
        if (score is { } known)
        {
            _scored += isScored ? 1 : 0;
            var flips = decision != row.Decision;
            counted = counted with
            {
                Replayed = counted.Replayed + 1,
                Rejects = counted.Rejects + (row.Decision == Decision.Anomalous ? 1 : 0),
                NewRejects = counted.NewRejects + (decision == Decision.Anomalous ? 1 : 0),
                Flips = counted.Flips + (flips ? 1 : 0),
            };
            if (flips)
            {
                if (_flips.Count == MaxFlips)
                    _flips.Dequeue();
                _flips.Enqueue(new StoredFlip(row.Key, known, decision));
            }
        }
        _days[day] = counted;
    }

    /// <summary>Gets the figures.</summary>
    public LookbackFigures ToFigures(double threshold, DateTime from, DateTime to)
    {
        long Count(Func<(Decision Then, Decision? Now), bool> wanted) =>
            _decisions.Where(pair => wanted(pair.Key)).Sum(pair => pair.Value);
        return new LookbackFigures(
            threshold,
            from,
            to,
            Count(_ => true),
            Count(key => key.Now is not null),
            _scored,
            [
                .. Enum.GetValues<Decision>()
                    .Select(decision =>
                    {
                        var all = Count(key => key.Then == decision);
                        var replayed = Count(key => key.Then == decision && key.Now is not null);
                        return new LookbackCoverage(decision, all, replayed, all == 0 ? null : (double)replayed / all);
                    }),
            ],
            [
                .. _decisions
                    .Where(pair => pair.Key.Now is not null)
                    .OrderBy(pair => pair.Key)
                    .Select(pair => new LookbackDecisions(pair.Key.Then, pair.Key.Now!.Value, pair.Value)),
            ],
            Count(key => key.Now is { } now && now != key.Then),
            [.. _days.Values]
        );
    }
}
