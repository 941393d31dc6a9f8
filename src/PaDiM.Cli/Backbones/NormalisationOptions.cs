using System.CommandLine;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Cli.Backbones;

/// <summary>Contains the options that say how pixels become the input of a network.</summary>
internal sealed class NormalisationOptions
{
    private const int Channels = 3;

    private readonly Option<float[]> _mean = Create("--mean", "Three means, in the network's order of channels.");
    private readonly Option<float[]> _std = Create("--std", "Three standard deviations, likewise (default: 1 1 1).");
    private readonly Option<float?> _range = new("--range")
    {
        Description =
            "What white is before the mean is subtracted: 255 for networks that take pixels as they are"
            + " (default: 1).",
    };
    private readonly Option<ChannelOrder?> _order = new("--channel-order")
    {
        Description = "Order of the network's channels: rgb or bgr (default: rgb).",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        _order.Offer<ChannelOrder>();
        command.Add(_order);
        command.Add(_range);
        command.Add(_mean);
        command.Add(_std);
        command.Validators.Add(result =>
        {
            if (
                result.GetResult(_mean) is null
                && (
                    result.GetResult(_std) is not null
                    || result.GetResult(_range) is not null
                    || result.GetResult(_order) is not null
                )
            )
                result.AddError("--channel-order, --range and --std need --mean, which depends on them.");
        });
    }

    /// <summary>Gets the normalisation; null if none is given.</summary>
    public Normalisation? Get(ParseResult arguments) =>
        arguments.GetValue(_mean) is { Length: Channels } mean
            ? new Normalisation(
                mean,
                arguments.GetValue(_std) is { Length: Channels } std ? std : [1, 1, 1],
                arguments.GetValue(_range) ?? 1,
                arguments.GetValue(_order) ?? ChannelOrder.Rgb
            )
            : null;

    private static Option<float[]> Create(string name, string description) =>
        new(name)
        {
            Description = description,
            Arity = new ArgumentArity(Channels, Channels),
            AllowMultipleArgumentsPerToken = true,
        };
}
