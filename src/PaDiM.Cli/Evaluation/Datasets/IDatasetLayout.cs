namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>Represents the layout of a dataset in its folder.</summary>
internal interface IDatasetLayout
{
    /// <summary>Gets the names of the categories, in order.</summary>
    IReadOnlyList<string> Categories { get; }

    /// <summary>Lists the files of a category.</summary>
    /// <exception cref="IOException">A folder or its images are missing.</exception>
    /// <exception cref="InvalidDataException">The folders contradict each other.</exception>
    DatasetCategory Read(string category);
}
