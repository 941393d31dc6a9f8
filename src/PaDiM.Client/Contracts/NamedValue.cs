using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaDiM.Client;

/// <summary>
/// A value from a list of names that may grow. A newer service may send a name that this version of the client does not
/// know: it is kept, compares as itself, and is sent back unchanged.
/// </summary>
/// <typeparam name="TSelf">The type of the value.</typeparam>
public interface INamedValue<TSelf>
    where TSelf : struct, INamedValue<TSelf>
{
    /// <summary>Gets the name as the service writes it; null in a value that was never set.</summary>
    string Name { get; }

    /// <summary>Creates the value of a name.</summary>
    /// <param name="name">The name as the service writes it.</param>
    static abstract TSelf FromName(string name);
}

/// <summary>Reads and writes a value as its name.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class NamedValueConverter<T> : JsonConverter<T>
    where T : struct, INamedValue<T>
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.FromName(reader.GetString() ?? "");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Name);
}
