namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>How a dataset lies in its folder.</summary>
internal interface IDatasetLayout
{
    /// <summary>Names of its categories, in order.</summary>
    IReadOnlyList<string> Categories { get; }

    /// <summary>Lists the files of a category.</summary>
    /// <exception cref="IOException">A folder or its images are missing.</exception>
    /// <exception cref="InvalidDataException">The folders contradict each other.</exception>
    DatasetCategory Read(string category);
}
