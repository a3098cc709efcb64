"""The keys that switch plots and choose the test images."""

from dataclasses import replace

from tui.features.feature import Feature, available
from tui.state.measurement import ImageSelection
from tui.views.plot_registry import from_plot


class Plots(Feature):
    """Choosing what the plots show."""

    def step(self, steps: int) -> None:
        """Show another plot."""
        (plot,) = from_plot(self.state.plot, steps)
        self.session.show(replace(self.state, plot=plot))

    @available()
    def images(self) -> None:
        """Show test images or, if visible, switch between one per class and newly wrong ones."""
        images = self.state.images
        visible = "predictions" in self.session.main_screen.visible_plots(self.state)
        self._show_images(images.toggled() if visible else images)

    @available()
    def more_images(self) -> None:
        """Show the next test images."""
        self._show_images(self.state.images.next_page())

    def _show_images(self, images: ImageSelection) -> None:
        self.session.bring_into_view("predictions")
        self.session.show(replace(self.state, images=images))
