"""The plots on the screen: the next one, and which test images they show."""

from dataclasses import replace

from tui.features.availability import available
from tui.session import Session
from tui.views.plot_registry import from_plot


class Plots:
    """The keys that choose what the plots show."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def step(self, steps: int) -> None:
        """Show another plot."""
        state = self.session.state
        self.session.show(state.show_plot(*from_plot(state.plot, steps)))

    @available()
    def images(self) -> None:
        """Show test images; once they are visible, those that only the pruned net gets wrong."""
        session = self.session
        if "predictions" in session.explore.visible_plots(session.state):
            session.state = replace(session.state, images=session.state.images.toggled())
        session.bring_into_view("predictions")
        session.show(session.state)

    @available()
    def more_images(self) -> None:
        """Show the next test images."""
        session = self.session
        session.bring_into_view("predictions")
        session.show(replace(session.state, images=session.state.images.next_page()))
