namespace PaDiM.Engine.Export;

/// <summary>A model that the format asked for cannot hold; the message says why and what to do.</summary>
public sealed class ExportException(string message) : Exception(message);
