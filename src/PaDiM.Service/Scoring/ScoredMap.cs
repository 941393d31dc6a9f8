using PaDiM.Core.Scoring;

namespace PaDiM.Service.Scoring;

/// <summary>Represents a score and the map whose maximum it is.</summary>
/// <param name="Map">The map over the prepared image.</param>
/// <param name="Response">What the client gets.</param>
internal sealed record ScoredMap(AnomalyMap Map, ScoreResponse Response);
