"""What an operator is told of a proposal."""

from bot.domain.proposal import Proposal


def proposal_facts(proposal: Proposal) -> dict[str, object]:
    """Return what an operator needs to decide: the trade, why it is asked, until when, and how to answer."""
    return {
        "proposal": proposal.proposal_id,
        "because": proposal.because,
        "orders": [
            f"{order.purpose} {order.quantity} x " + " ".join(f"{ratio:+d} {key}" for key, ratio in order.legs)
            for order in proposal.orders
        ],
        "expires": proposal.expires_at.isoformat(),
        "approve": f"alvh approve {proposal.proposal_id}",
        "veto": f"alvh veto {proposal.proposal_id}",
    }
