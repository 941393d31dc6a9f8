namespace PaDiM.Client;

/// <summary>
/// The caller's own file or stream cannot be read. It passes through the handlers, which would take an
/// <see cref="IOException"/> for the network's.
/// </summary>
internal sealed class SourceException(Exception inner) : Exception(inner.Message, inner);
