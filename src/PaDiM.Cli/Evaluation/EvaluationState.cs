using System.Text;
using System.Text.Json;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Core.Models;
using PaDiM.Engine.Files;
using PaDiM.Engine.Inference;

namespace PaDiM.Cli.Evaluation;

/// <summary>
/// Represents the finished work of an evaluation, in a folder whose name is a hash of everything that decides the
/// results: the same command finds it again after an interruption, another one does not. Only one process at a time can
/// open it.
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

    /// <summary>
    /// Gets the user's folder for application data, or the temporary directory for users that have none.
    /// </summary>
    public static string DefaultParent =>
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.Create
        )
            is { Length: > 0 } own
            ? Path.Combine(own, "padim")
            : Path.GetTempPath();

    /// <summary>Gets the folder.</summary>
    public string Folder { get; }

    /// <summary>Opens the state of a plan, and creates it if there is none.</summary>
    /// <param name="parent">The folder of all states.</param>
    /// <param name="plan">The evaluation.</param>
    /// <param name="backbone">The network and its device.</param>
    /// <exception cref="IOException">Another process has opened it, or other users can write to it.</exception>
    public static EvaluationState Open(string parent, EvaluationPlan plan, Backbone backbone)
    {
        var folder = Path.Combine(Path.GetFullPath(parent), $"padim-evaluate-{ComputeKey(plan, backbone)}");
        CreateFolder(folder);
        return new EvaluationState(folder, AcquireLock(folder));
    }

    /// <summary>Gets the state of one fit of a category and its measurement.</summary>
    public StateEntry GetEntry(DatasetCategory category, int seed)
    {
        // Computed once: a file that changes during the run counts for the next run.
        if (!_categoryKeys.TryGetValue(category.Name, out var key))
            _categoryKeys[category.Name] = key = ComputeKey(category);
        return new StateEntry(
            Path.Combine(GetCategoryFolder(category.Name), FormattableString.Invariant($"{seed}-{key}"))
        );
    }

    /// <summary>Removes the state of categories whose results were printed.</summary>
    public void Remove(IEnumerable<DatasetCategory> categories)
    {
        foreach (var folder in categories.Select(category => GetCategoryFolder(category.Name)).Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Releases the lock, and removes the folder if it is empty.</summary>
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
        // The name can be guessed and everyone can write to the temporary directory, so results that other users could
        // have written are not trusted.
        Directory.CreateDirectory(folder, OwnerOnly);
        if ((File.GetUnixFileMode(folder) & WritableByOthers) != 0)
            throw new IOException(
                $"Other users can write to {folder}. Remove it, or choose another folder with --state."
            );
    }

    /// <summary>Acquires the lock. The system releases it when the process ends, even after a crash.</summary>
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
            throw new IOException($"The same evaluation is running in another process, which has locked {folder}.", e);
        }
    }

    private static string ComputeKey(EvaluationPlan plan, Backbone backbone)
    {
        // The seed and number of each fit are part of the names of the entries.
        var planJson = JsonSerializer.Serialize(
            plan with
            {
                Settings = plan.WithSeed(0),
                Repeats = 1,
            },
            EvaluationJson.Default.EvaluationPlan
        );
        var network =
            $"{backbone.Identity.Sha256}|{string.Join(',', backbone.Identity.Taps)}|"
            + $"{backbone.Identity.Normalisation}|{backbone.Runtime.ExecutionProvider}";
        var program = string.Join(
            '|',
            new[] { typeof(FitSettings), typeof(Backbone), typeof(EvaluationState) }.Select(type =>
                type.Module.ModuleVersionId
            )
        );
        return Hash($"{planJson}\n{network}\n{program}");
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

    private static string Hash(string text) => FileHash.Compute(Encoding.UTF8.GetBytes(text))[..24];
}
