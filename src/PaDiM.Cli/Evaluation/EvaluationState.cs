using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;

namespace PaDiM.Cli.Evaluation;

/// <summary>
/// What an evaluation has finished, in a folder that is named by all that decides the results: the same command finds
/// it again after it was interrupted, another one does not. One process at a time has it.
/// </summary>
internal sealed class EvaluationState : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
        WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private readonly FileStream _lock;
    private readonly Dictionary<string, string> _categoryKeys = new(StringComparer.Ordinal);

    private EvaluationState(string folder, FileStream held)
    {
        Folder = folder;
        _lock = held;
    }

    /// <summary>A folder of the user's own; the temporary directory for users that have none.</summary>
    public static string DefaultParent =>
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.Create
        )
            is { Length: > 0 } own
            ? Path.Combine(own, "padim")
            : Path.GetTempPath();

    /// <summary>Where it lies.</summary>
    public string Folder { get; }

    /// <summary>Takes the state of a plan, a new one where there is none.</summary>
    /// <param name="parent">Where states lie.</param>
    /// <param name="plan">What is measured.</param>
    /// <param name="backbone">With which network, and on which device.</param>
    /// <exception cref="IOException">Another process has it, or other users can write to it.</exception>
    public static EvaluationState Open(string parent, EvaluationPlan plan, Backbone backbone)
    {
        var folder = Path.Combine(Path.GetFullPath(parent), $"padim-evaluate-{ComputeKey(plan, backbone)}");
        CreateFolder(folder);
        return new EvaluationState(folder, AcquireLock(folder));
    }

    /// <summary>What is kept of one fit of a category and its measuring.</summary>
    public StateEntry GetEntry(DatasetCategory category, int seed)
    {
        // Found out once: a file that changes while the run is on belongs to the next one.
        if (!_categoryKeys.TryGetValue(category.Name, out var key))
            _categoryKeys[category.Name] = key = ComputeKey(category);
        return new StateEntry(
            Path.Combine(GetCategoryFolder(category.Name), FormattableString.Invariant($"{seed}-{key}"))
        );
    }

    /// <summary>Removes what is kept of categories that are done and told.</summary>
    public void Remove(IEnumerable<DatasetCategory> categories)
    {
        foreach (var folder in categories.Select(category => GetCategoryFolder(category.Name)).Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Lets another process have it; an empty one goes.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        if (Directory.Exists(Folder) && !Directory.EnumerateDirectories(Folder).Any())
            Directory.Delete(Folder, recursive: true);
    }

    private string GetCategoryFolder(string category) => Path.Combine(Folder, category);

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }
        // The name can be guessed and the temporary directory is everybody's: results that others could write are not
        // to be trusted.
        Directory.CreateDirectory(folder, OwnerOnly);
        if ((File.GetUnixFileMode(folder) & WritableByOthers) != 0)
            throw new IOException(
                $"Other users can write to {folder}; remove it, or choose another folder by --state."
            );
    }

    /// <summary>The system lets go of the lock when the process ends, in whatever way.</summary>
    private static FileStream AcquireLock(string folder)
    {
        try
        {
            return new FileStream(
                Path.Combine(folder, "lock"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None
            );
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new IOException($"The same evaluation is under way in another process, which has {folder}.", e);
        }
    }

    private static string ComputeKey(EvaluationPlan plan, Backbone backbone)
    {
        // The seed of each fit and the number of fits stand in the names of the entries.
        var asked = JsonSerializer.Serialize(
            plan with
            {
                Settings = plan.WithSeed(0),
                Repeats = 1,
            },
            EvaluationJson.Default.EvaluationPlan
        );
        var network =
            $"{backbone.Identity.Sha256}|{string.Join(',', backbone.Identity.Taps)}|{backbone.Identity.Normalisation}|{backbone.Runtime.ExecutionProvider}";
        var program = string.Join(
            '|',
            new[] { typeof(FitSettings), typeof(Backbone), typeof(EvaluationState) }.Select(type =>
                type.Module.ModuleVersionId
            )
        );
        return Hash($"{asked}\n{network}\n{program}");
    }

    private static string ComputeKey(DatasetCategory category) =>
        Hash(
            string.Join(
                '\n',
                category
                    .Training.Concat(category.Testing)
                    .Select(image => image.Path)
                    .Concat(category.Truth)
                    .Select(GetFileStamp)
            )
        );

    private static string GetFileStamp(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? FormattableString.Invariant($"{path}|{file.Length}|{file.LastWriteTimeUtc.Ticks}") : path;
    }

    private static string Hash(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..24];
}
