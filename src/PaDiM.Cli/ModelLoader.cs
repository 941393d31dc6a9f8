using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Engine;
using PaDiM.Engine.Scoring;

namespace PaDiM.Cli;

/// <summary>Loads models from files.</summary>
internal static class ModelLoader
{
    /// <summary>Reads a model file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or is not a model.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PadimModel Read(string path)
    {
        using var stream = File.OpenRead(path);
        return ModelFile.Read(stream);
    }

    /// <summary>Runs the self-test: a model whose scores differ on this machine is refused.</summary>
    /// <exception cref="InvalidDataException">The golden images score differently here.</exception>
    public static void RequireSelfTest(ModelScorer scorer, ComputeContext compute)
    {
        if (SelfTest.Validate(scorer, compute) is { } deviation)
            throw new InvalidDataException(deviation);
    }
}
