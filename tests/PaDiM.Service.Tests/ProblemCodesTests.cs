using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using PaDiM.Core.InputChecks;
using PaDiM.Engine.Faults;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>
/// Holds the one list of codes against everything that can be answered, and against its documentation.
/// </summary>
public sealed partial class ProblemCodesTests
{
    /// <summary>The name of each constant by its code.</summary>
    private static readonly Dictionary<string, string> Listed = typeof(ProblemCodes)
        .GetFields()
        .ToDictionary(field => (string)field.GetRawConstantValue()!, field => field.Name, StringComparer.Ordinal);

    [Fact]
    public void Codes_are_the_snake_case_of_their_names() =>
        Assert.All(Listed, pair => Assert.Equal(pair.Key, ToSnakeCase(pair.Value)));

    [Fact]
    public void Every_code_is_in_use()
    {
        var used = Sources()
            .SelectMany(source => CodeByName().Matches(source.Text))
            .Select(match => match.Groups[1].Value);
        Assert.Equal(Listed.Values.Order(), used.Distinct().Order());
    }

    [Fact]
    public void No_code_is_written_outside_the_list()
    {
        var literals = Sources()
            .SelectMany(source =>
                Literal()
                    .Matches(source.Text)
                    .Select(match => match.Groups[1].Value)
                    .Where(Listed.ContainsKey)
                    .Select(code => $"{source.Path}: {code}")
            );
        var unlisted = Sources()
            .SelectMany(source => LiteralFault().Matches(source.Text).Select(match => $"{source.Path}: {match.Value}"));
        Assert.Empty(literals.Concat(unlisted));
    }

    [Fact]
    public void Every_problem_has_a_listed_code_and_the_documented_status()
    {
        var documented = Documented();
        var problems = typeof(Problems)
            .GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Where(factory => factory.ReturnType == typeof(Problem))
            .SelectMany(Create)
            .ToArray();
        Assert.NotEmpty(problems);
        Assert.All(problems, problem => Assert.Contains(problem.Code, Listed));
        Assert.All(
            problems.Where(problem => problem.Status != AnyStatus),
            problem => Assert.Equal(documented[problem.Code], problem.Status)
        );
        // What has a status in the table is answered by a problem, and what has none only fails jobs.
        Assert.Equal(
            documented.Where(row => row.Value is not null).Select(row => row.Key).Order(),
            problems.Select(problem => problem.Code).Distinct().Order()
        );
    }

    [Fact]
    public void Every_code_is_documented() => Assert.Equal(Listed.Keys.Order(), Documented().Keys.Order());

    /// <summary>The number that stands for every number of a factory.</summary>
    private const int AnyStatus = 1;

    private static IEnumerable<Problem> Create(MethodInfo factory)
    {
        var parameters = factory.GetParameters();
        if (parameters is [{ ParameterType: var only }] && only == typeof(DecodeResult.Refused))
            return Enum.GetValues<ImageFault>()
                .Select(fault => (Problem)factory.Invoke(null, [new DecodeResult.Refused(fault, "text")])!);
        return [(Problem)factory.Invoke(null, [.. parameters.Select(parameter => Any(parameter.ParameterType))])!];
    }

    private static object Any(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) switch
        {
            { } text when text == typeof(string) => "text",
            { } number when number == typeof(int) => AnyStatus,
            { } number when number == typeof(long) => 1L,
            { } names when names == typeof(IEnumerable<string>) => Array.Empty<string>(),
            { } layout when layout == typeof(PixelLayout) => new PixelLayout(1, 1, PixelFormat.Gray8),
            { } warnings when warnings == typeof(IReadOnlyList<InputWarning>) => Array.Empty<InputWarning>(),
            { IsEnum: true } choice => Enum.GetValues(choice).GetValue(0)!,
            var other => throw new NotSupportedException($"No example of {other}."),
        };

    /// <summary>The status of each code in the tables of docs/errors.md; null for codes of jobs alone.</summary>
    private static Dictionary<string, int?> Documented() =>
        TableRow()
            .Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "errors.md")))
            .SelectMany(row =>
                CodeInTable()
                    .Matches(row.Groups["codes"].Value)
                    .Select(code =>
                        KeyValuePair.Create(
                            code.Groups[1].Value,
                            row.Groups["status"] is { Success: true, Value: var status }
                                ? int.Parse(status, CultureInfo.InvariantCulture)
                                : (int?)null
                        )
                    )
            )
            .ToDictionary(StringComparer.Ordinal);

    private static IEnumerable<(string Path, string Text)> Sources() =>
        Directory
            .EnumerateDirectories(Path.Combine(Repository.Root, "src"))
            // A package that refers to no other project, and repeats the codes that programs look for.
            .Where(project => Path.GetFileName(project) != "PaDiM.Client")
            .SelectMany(project => Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Where(path =>
                !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin")
                && Path.GetFileName(path) != "ProblemCodes.cs"
            )
            .Select(path => (path, File.ReadAllText(Path.Combine(Repository.Root, path))));

    private static string ToSnakeCase(string name) =>
        string.Concat(name.Select((letter, i) => i > 0 && char.IsUpper(letter) ? $"_{letter}" : $"{letter}"))
            .ToLowerInvariant();

    [GeneratedRegex(@"\bProblemCodes\.(\w+)")]
    private static partial Regex CodeByName();

    [GeneratedRegex("\"([a-z_]+)\"")]
    private static partial Regex Literal();

    [GeneratedRegex("""\bnew (Problem|UserFault|UserFaultException)\(\s*\$?"[^,]*""")]
    private static partial Regex LiteralFault();

    [GeneratedRegex(@"^\| (?<codes>(`[a-z_]+`(, )?)+) \| ((?<status>\d{3}) \| )?", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex CodeInTable();
}
