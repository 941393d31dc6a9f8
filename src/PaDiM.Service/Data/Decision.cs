namespace PaDiM.Service.Data;

/// <summary>The decision about an image.</summary>
internal enum Decision
{
    Normal,
    Review,
    Anomalous,
}
