using System.Globalization;
using PaDiM.Trials.Support;

namespace PaDiM.Trials.Cluster;

/// <summary>Judges what clients saw against what was done meanwhile.</summary>
internal static class Verdict
{
    /// <summary>How long after an activation a replica may still score with the version before.</summary>
    private static readonly TimeSpan Follow = TimeSpan.FromSeconds(2);

    /// <summary>Every failure has a reason, and no incident has more failures than requests were in progress.</summary>
    public static void AssertFailures(IReadOnlyCollection<Answer> answers, IReadOnlyList<Incident> incidents)
    {
        var failures = answers.Where(answer => answer.Failure is not null).ToArray();
        var unexplained = failures.Where(answer => !incidents.Any(incident => incident.Explains(answer))).ToArray();
        Assert.True(
            unexplained.Length == 0,
            $"{unexplained.Length} requests failed without a reason:\n"
                + string.Join('\n', unexplained.Take(20).Select(answer => answer.ToString()))
        );
        foreach (var incident in incidents.Where(incident => incident.FailsUntil is not null))
            Assert.InRange(failures.Count(a => !a.IsRefused && incident.Explains(a)), 0, Traffic.Clients);
    }

    /// <summary>All replicas score alike with the same version.</summary>
    public static void AssertScores(IEnumerable<Answer> answers)
    {
        foreach (var version in GetScores(answers).GroupBy(answer => (answer.Category, answer.Version)))
        {
            var first = version.First();
            Assert.All(version, answer => Assert.Equal(1, answer.Score / first.Score, 1e-6));
        }
    }

    /// <summary>Two seconds after an activation, no request is scored with the version before.</summary>
    public static void AssertVersions(
        IEnumerable<Answer> answers,
        IReadOnlyList<Incident> incidents,
        IReadOnlyCollection<(string Category, DateTime At, int Version)> activations
    )
    {
        var late = GetScores(answers)
            .Where(answer => !incidents.Any(incident => Hides(incident, answer)))
            .Select(answer =>
                (
                    answer,
                    Missed: activations
                        .Where(a => a.Category == answer.Category && a.Version > answer.Version)
                        .Where(a => a.At + Follow < answer.Begun)
                        .OrderBy(a => a.At)
                        .Select(a => (answer.Begun - a.At).TotalSeconds)
                        .FirstOrDefault()
                )
            )
            .Where(pair => pair.Missed > 0)
            .ToArray();
        Assert.True(
            late.Length == 0,
            $"{late.Length} requests were scored with a version before that of two seconds ago:\n"
                + string.Join(
                    '\n',
                    late.Take(20).Select(pair => FormattableString.Invariant($"{pair.answer} {pair.Missed:f2} s after"))
                )
        );

        // Who was out of reach hears of it when it is back.
        static bool Hides(Incident incident, Answer answer) =>
            (incident.HidesVersions || (incident.Absent is { } absent && absent == answer.Replica))
            && answer.Ended >= incident.Begun
            && answer.Begun <= Later(incident.Ended, Follow);
    }

    /// <summary>Tells what clients saw of each incident.</summary>
    public static void Tell(IReadOnlyCollection<Answer> answers, IReadOnlyList<Incident> incidents)
    {
        foreach (var incident in incidents)
        {
            var met = answers.Where(incident.Meets).ToArray();
            var failed = met.Where(answer => answer.Failure is not null).ToArray();
            Trial.Tell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{incident.Name} ({incident.Begun:HH:mm:ss}, {(incident.Ended - incident.Begun).TotalSeconds:f1} s): "
                        + $"{met.Count(a => a.IsScore)} scores, {failed.Count(a => a.IsScore)} failed; "
                        + $"{met.Count(a => !a.IsScore)} others, {failed.Count(a => !a.IsScore && a.IsRefused)} refused, "
                        + $"{failed.Count(a => !a.IsScore && !a.IsRefused)} failed; slowest score "
                        + $"{met.Where(a => a.IsScore).Select(a => a.Took.TotalSeconds).DefaultIfEmpty().Max():f2} s"
                )
            );
            foreach (
                var kind in failed.GroupBy(a =>
                    (a.Proxy, a.IsScore, Failure: a.Failure![..Math.Min(90, a.Failure!.Length)])
                )
            )
                Trial.Tell(
                    $"    {kind.Count()} {kind.Key.Proxy} {(kind.Key.IsScore ? "scores" : "others")}: "
                        + kind.Key.Failure.ReplaceLineEndings(" ")
                );
        }
    }

    private static IEnumerable<Answer> GetScores(IEnumerable<Answer> answers) =>
        answers.Where(answer => answer is { IsScore: true, Failure: null });

    private static DateTime Later(DateTime time, TimeSpan by) => time == DateTime.MaxValue ? time : time + by;
}
